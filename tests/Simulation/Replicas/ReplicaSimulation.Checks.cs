using Rum.Core;
using Rum.Core.Council;
using Rum.FastPath.Client;
using Rum.Simulation.Client;
using Rum.Simulation.Pages;

namespace Rum.Simulation.Replicas;

/// <content>What must be so, looked up in the silos' own memory.</content>
internal sealed unsafe partial class ReplicaSimulation
{
    /// <summary>Every replica in sync that lives has each acknowledged version or a newer one, and one version is one image.</summary>
    private void Check()
    {
        ClusterView view = _council.Machine.View;
        foreach (Succession segment in _segments)
        {
            CheckSuccession(segment, view);
            SimulatedClient client = segment.Writer;
            foreach ((long page, PageVersion acknowledged, ulong stamp) in client.Acknowledged())
            {
                foreach (Replica replica in ReplicasOf(view, client.Handle, page))
                {
                    if (replica.State != ReplicaState.InSync || HolderOf(replica) is not { } silo) continue;
                    PageVersion there = Read(silo, client.Handle.Segment, page, out ulong word);
                    // A trim of a page that was never written leaves no trace where there is only one replica.
                    if (there < acknowledged && !(stamp == 0 && there == default))
                        throw new SimulationException($"{silo.Name}, in sync, has version {there} of page {page} of {client.Handle.Segment} (shard {SegmentLayout.ShardOf(client.Handle.FirstShard, client.Handle.Flags, Layout.ExtentOfPage(page), RingShards).Value}); {acknowledged} was acknowledged. {Shards()}");
                    if (there == acknowledged && word != stamp)
                        throw new SimulationException($"{silo.Name} has {word:x} as version {there} of page {page}; {stamp:x} was written as that");
                }
            }
        }
    }

    /// <summary>When all is quiet the replicas of a shard are equal, page by page.</summary>
    private void CheckEqual()
    {
        ClusterView view = _council.Machine.View;
        foreach (SimulatedClient client in _segments.Select(static segment => segment.Writer))
        {
            for (long page = 0; page < 2 * Layout.PagesPerExtent; page += page % Layout.PagesPerExtent == 63 ? Layout.PagesPerExtent - 63 : 1)
            {
                (PageVersion Version, ulong Word)? first = null;
                foreach (Replica replica in ReplicasOf(view, client.Handle, page))
                {
                    if (HolderOf(replica) is not { } silo) throw new SimulationException($"no silo has the life {replica.Incarnation}");
                    (PageVersion, ulong) here = (Read(silo, client.Handle.Segment, page, out ulong word), word);
                    first ??= here;
                    if (first != here) throw new SimulationException($"page {page} of {client.Handle.Segment} differs between its replicas: {first} and, at {silo.Name}, {here}");
                }
            }
        }
    }

    private static IReadOnlyList<Replica> ReplicasOf(ClusterView view, SegmentHandle handle, long page) =>
        view.Shards[SegmentLayout.ShardOf(handle.FirstShard, handle.Flags, Layout.ExtentOfPage(page), RingShards).Value] is { State: ShardState.Served } shard
            ? shard.Replicas : throw new SimulationException($"page {page} of {handle.Segment} is lost");

    private SimulatedSilo? HolderOf(Replica replica) => _silos.Find(silo => silo.Up && silo.Life == replica.Incarnation);

    private static PageVersion Read(SimulatedSilo silo, SegmentId segment, long page, out ulong word)
    {
        silo.Pool.Read(segment, page, out byte* image, out PageVersion version);
        word = image == null ? 0 : *(ulong*)image;
        return version;
    }
}
