using System.Net;
using System.Security.Cryptography;
using Rum.Core;
using Rum.Core.Council;
using Rum.FastPath.Client;
using Rum.FastPath.Drivers.Udp;
using Rum.FastPath.Frames;
using Rum.FastPath.Linux;
using Rum.FastPath.Server;

namespace Rum.Silo.Snapshots;

/// <content>The cut: all silos hold acknowledgements, mark, let go.</content>
public sealed partial class SnapshotKeeper
{
    // A busy machine may need some tries; together they take half a minute.
    private const int TriesMax = 24;

    // What the steps may take together: less than what the silos bear.
    private const long CutNsMax = PageServer.HoldNsMax - 5_000_000;

    private async Task CutAsync(SnapshotInfo snapshot, CancellationToken stop)
    {
        string why = "";
        for (int attempt = 1; attempt <= TriesMax && council.LeadsHere; attempt++)
        {
            if (membership.Map is not { } map) return;
            ulong cut = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)) | 1;
            (string? failure, ulong asOf, long heldNs) = await Task.Run(() => TryCut(cut, map.View, stop), stop);
            if (failure is null)
            {
                Result decided = await DecideAsync(new CutSnapshot(snapshot.Id, cut, asOf, map.Decree, (uint)(heldNs / 1000)), stop);
                if (decided.Error == RumError.None)
                {
                    LogCut(snapshot.Name, heldNs / 1e6, attempt);
                    return;
                }
                // Deleted meanwhile: nothing to be told to anybody.
                if (decided.Error == RumError.NotFound) return;
                failure = decided.Message;
            }
            why = failure;
            await Task.Delay(TimeSpan.FromMilliseconds(Math.Min(2000, 25 << Math.Min(attempt, 7))), stop);
        }
        if (!council.LeadsHere) return;
        LogFailed(snapshot.Name, why);
        await DecideAsync(new FailSnapshot(snapshot.Id, $"no cut in {TriesMax} tries; the last: {why}"), stop);
    }

    private (string? Failure, ulong AsOf, long HeldNs) TryCut(ulong cut, ClusterView view, CancellationToken stop)
    {
        var silos = new List<CutSilo>();
        foreach (Member member in view.Members)
        {
            if (member.State == MemberState.Left || !IPEndPoint.TryParse(member.Endpoint, out IPEndPoint? endpoint)) continue;
            if (member.State == MemberState.Silent && !Serves(view, member.Id)) continue;
            silos.Add(new CutSilo(UdpPeer.From(endpoint), member.Incarnation, member.Name));
        }
        using var caller = new CutCaller(UdpDriver.Toward([.. silos.Select(static silo => UdpPeer.ToEndPoint(silo.Peer))]));
        long start = MonotonicClock.NowNs, until = start + CutNsMax;
        uint generation = view.FrameGeneration;
        string? failure = caller.Take(CutStep.Hold, cut, silos, generation, view.Decree, until);
        ulong asOf = 0;
        if (failure is null)
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
            patience.CancelAfter(TimeSpan.FromMilliseconds(CutNsMax / 1_000_000));
            try
            {
                // What was named before this is in the snapshot; what is named later can have no page that anybody saw acknowledged.
                asOf = council.AskAsync(new ListSnapshots(), patience.Token).GetAwaiter().GetResult().Decree;
            }
            catch (OperationCanceledException)
            {
                failure = "the council did not answer in time";
            }
        }
        failure ??= caller.Take(CutStep.Mark, cut, silos, generation, view.Decree, until);
        failure ??= caller.Take(CutStep.Release, cut, silos, generation, view.Decree, until);
        long held = MonotonicClock.NowNs - start;
        // Best effort: who doesn't hear it lets go by itself, and keeps the cut until the next one.
        if (failure is not null) _ = caller.Take(CutStep.Void, cut, silos, generation, view.Decree, MonotonicClock.NowNs + 10_000_000);
        return (failure, asOf, held);
    }

    private static bool Serves(ClusterView view, SiloId silo) =>
        view.Shards.Any(shard => shard.State == ShardState.Served && shard.Replicas.Any(replica => replica.Silo == silo));
}
