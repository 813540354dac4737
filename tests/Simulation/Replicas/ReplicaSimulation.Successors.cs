using Rum.Core;
using Rum.Core.Council;
using Rum.FastPath.Client;
using Rum.Simulation.Pages;

namespace Rum.Simulation.Replicas;

/// <content>Writers that die, or are cut off, or close, and who comes after them.</content>
internal sealed unsafe partial class ReplicaSimulation
{
    public const ulong TakeOverCookie = 1UL << 60;

    private readonly Dictionary<(SegmentId, int, PageVersion), ulong> _images = [];

    private Succession Create(UInt128 key)
    {
        SessionId session = OpenSession();
        var made = (SegmentResult)_council.Apply(
            new RequestId(session, 0, ++_request), new Allocate(session, key, 2 * Layout.ExtentSize, (byte)_copies, SegmentFlags.None, default));
        if (made.Error != RumError.None) throw new SimulationException($"no segment: {made.Message}");
        var writer = new SimulatedClient(Connect(session), HandleOf(made), _random);
        var segment = new Succession(key, made.Segment) { Writer = writer, Session = session };
        writer.Acknowledges = (index, version, stamp) => Acknowledged(segment, writer, index, version, stamp);
        for (int i = _random.Next(3); i > 0; i--) segment.Readers.Add(Reader(segment, writer.Handle));
        return segment;
    }

    private SimulatedReader Reader(Succession segment, SegmentHandle handle)
    {
        PageClient client = Connect(OpenSession());
        ulong known = 0;
        return new SimulatedReader(client, handle, _random)
        {
            Newest = index =>
            {
                // The newest of its views, should it ever go back to an older one.
                known = Math.Max(known, client.ViewDecree);
                return NewestAcknowledged(segment, index, EpochOf(known, handle, index));
            },
            Sees = (index, version, stamp) => Seen(segment.Segment, index, version, stamp),
        };
    }

    /// <summary>The writer loses its session, whatever it does from now on, and another opens the segment.</summary>
    private void Succeed(Succession segment)
    {
        SimulatedClient former = segment.Opening ?? segment.Writer;
        if (segment.Writer.Operations == 0 || (segment.Opening is not null && _random.Next(4) != 0)) return;
        int fate = _random.Next(4);
        if (fate == 0 && segment.Opening is null && former.Quiet) former.Client.Settle(former.Handle);
        _council.Apply(default, new CloseSession(segment.Session));
        former.Former = true;
        int operations = segment.Writer.Operations;
        if (segment.Opening is null) segment.Before = null;
        if (fate <= 1)
        {
            segment.End(former);
            _drivers.Remove(former.Client);
        }
        else if (former != segment.Writer)
        {
            segment.Formers.Add(former);
        }
        if (fate == 2) segment.CutOff.Add(former.Client);

        SessionId session = segment.Session = OpenSession();
        var opened = (SegmentResult)_council.Apply(new RequestId(session, 0, ++_request), new Open(session, segment.Key, OpenMode.Write));
        if (opened.Error != RumError.None || opened.Token == 0) throw new SimulationException($"a successor can't open {segment.Segment}: {opened.Message}");
        PageClient client = Connect(session);
        client.Poll(_network.NowNs, []);
        SimulatedClient successor = null!;
        successor = new SimulatedClient(client, HandleOf(opened), _random) { Waits = true, Operations = operations, TakenOver = status => TakenOver(segment, successor, status) };
        successor.Acknowledges = (index, version, stamp) => Acknowledged(segment, successor, index, version, stamp);
        if (!client.TryTakeOver(successor.Handle, 2 * Layout.PagesPerExtent, TakeOverCookie)) throw new SimulationException("a take-over isn't taken");
        segment.Opening = successor;
        _world.Note("successor", "opens segment {0} with token {1}", (long)segment.Segment.Value, (long)opened.Token);
    }

    private void TakenOver(Succession segment, SimulatedClient client, PageStatus status)
    {
        if (client != segment.Opening) return;
        if (status != PageStatus.Ok) throw new SimulationException($"token {client.Handle.Token} takes over {segment.Segment}: {status}");
        _world.Note("successor", "has segment {0} with token {1}", (long)segment.Segment.Value, (long)client.Handle.Token);
        SimulatedClient before = segment.Writer;
        for (int i = 0; i < SimulatedClient.Pages; i++)
        {
            (PageVersion version, ulong stamp) = Agreed(segment, client.Handle, i);
            segment.Settled[i] = version;
            segment.Found[i] = before.PlaceOf(i, stamp);
            if (segment.Found[i] < before.PlaceAcknowledged(i))
                throw new SimulationException($"token {client.Handle.Token} finds image {stamp:x} of page {SimulatedClient.PageAt(i)}, version {version}: older than what token {before.Handle.Token} was told is stored");
            client.Inherit(i, version, stamp);
            if (version.Token != 0) Acknowledged(segment, client, i, version, stamp);
        }
        if (!segment.Formers.Contains(before) && before.Former && !segment.HasEnded(before)) segment.Formers.Add(before);
        segment.Before = before;
        segment.Writer = client;
        segment.Opening = null;
        client.Waits = false;
        Changes = (Changes.Successions + 1, Changes.Levelled + client.Client.Counters.PagesLevelled);
    }

    /// <summary>What all replicas in sync have of a page.</summary>
    private (PageVersion Version, ulong Stamp) Agreed(Succession segment, SegmentHandle handle, int index)
    {
        (PageVersion Version, ulong Stamp)? agreed = null;
        foreach (Replica replica in ReplicasOf(_council.Machine.View, handle, SimulatedClient.PageAt(index)))
        {
            if (replica.State != ReplicaState.InSync || HolderOf(replica) is not { } silo) continue;
            (PageVersion, ulong) here = (Read(silo, segment.Segment, SimulatedClient.PageAt(index), out ulong stamp), stamp);
            agreed ??= here;
            if (agreed != here)
                throw new SimulationException($"page {SimulatedClient.PageAt(index)} of {segment.Segment} isn't level when token {handle.Token} has it: {agreed} and, at {silo.Name}, {here}. {Shards()}");
        }
        return agreed ?? default;
    }

    private void CheckSuccession(Succession segment, ClusterView view)
    {
        for (int i = 0; i < SimulatedClient.Pages; i++)
        {
            long page = SimulatedClient.PageAt(i);
            if (segment.Before is { } before && before.PlaceAcknowledged(i) > segment.Found[i])
                throw new SimulationException($"page {page} of {segment.Segment}: what token {before.Handle.Token} wrote is acknowledged after token {segment.Writer.Handle.Token} found something older");
            foreach (Replica replica in ReplicasOf(view, segment.Writer.Handle, page))
            {
                if (HolderOf(replica) is not { } silo) continue;
                PageVersion there = Read(silo, segment.Segment, page, out ulong stamp);
                Seen(segment.Segment, i, there, stamp);
                if (there.Token < segment.Writer.Handle.Token && there > segment.Settled[i])
                    throw new SimulationException($"{silo.Name} has version {there} of page {page} of {segment.Segment}: an old token's, newer than what token {segment.Writer.Handle.Token} found ({segment.Settled[i]}). {Shards()}");
            }
        }
    }

    /// <summary>One version, one image, wherever it is met.</summary>
    private void Seen(SegmentId segment, int index, PageVersion version, ulong stamp)
    {
        if (version.Token == 0 || _images.TryAdd((segment, index, version), stamp) || _images[(segment, index, version)] == stamp) return;
        throw new SimulationException($"version {version} of page {SimulatedClient.PageAt(index)} of {segment} is {stamp:x} here and {_images[(segment, index, version)]:x} elsewhere");
    }

    private void Acknowledged(Succession segment, SimulatedClient writer, int index, PageVersion version, ulong stamp)
    {
        if (writer.Former) return;
        uint epoch = EpochOf(writer.Client.ViewDecree, writer.Handle, index);
        Dictionary<uint, (PageVersion Version, bool Zero)> known = segment.Acknowledged[index];
        if (known.GetValueOrDefault(epoch).Version < version) known[epoch] = (version, stamp == 0);
    }

    private static (PageVersion Version, bool Zero) NewestAcknowledged(Succession segment, int index, uint epoch)
    {
        (PageVersion Version, bool Zero) newest = default;
        foreach ((uint its, (PageVersion Version, bool Zero) it) in segment.Acknowledged[index])
            if (its <= epoch && it.Version > newest.Version) newest = it;
        return newest;
    }

    private uint EpochOf(ulong decree, SegmentHandle handle, int index) =>
        _views.TryGetValue(decree, out ClusterView? view)
            ? view.Shards[SegmentLayout.ShardOf(handle.FirstShard, handle.Flags, Layout.ExtentOfPage(SimulatedClient.PageAt(index)), RingShards).Value].Epoch : 0;

    private SessionId OpenSession() => ((SessionResult)_council.Apply(default, new OpenSession(++_sessions, "", "", 1_000_000))).Session;

    private static SegmentHandle HandleOf(SegmentResult segment) => new(segment.Segment, segment.Token, segment.FirstShard, segment.Flags);
}
