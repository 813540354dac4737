using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Rum.Core;
using Rum.Core.Council;

namespace Rum.Grains.Placement;

/// <summary>
/// Keeps a silo's activations on the ring: whenever the view or Orleans' membership has changed it moves off what belongs elsewhere, which the framework leaves where
/// it is, and activates what belongs here and has no activation since its silo died.
/// </summary>
internal sealed partial class RingKeeper(
    GrainRing ring, LocalGrains local, GrainCouncil council, IGrainFactory grains, DeadSilos dead, SiloHints hints, GrainCallCounters counters, ILogger<RingKeeper> log) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);
    private const int TouchesMax = 64;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        (ulong, long) seen = default;
        using var timer = new PeriodicTimer(Interval);
        while (await WaitAsync(timer, stoppingToken))
        {
            try
            {
                await dead.LookAsync(stoppingToken);
                await hints.LookAsync();
                counters.ActiveSilos = ring.ActiveSilos;
                (ulong, long) now = ring.Version;
                if (now == seen) continue;
                int moved = MoveOff();
                int woken = await WakeAsync(stoppingToken);
                seen = now;
                if (moved + woken > 0) LogKept(moved, woken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            // In the middle of a change anything may fail, and a keeper that gave up would leave the silo off the ring for good: the next look does it.
            catch (Exception e)
            {
                LogUnsettled(e.Message);
            }
        }
    }

    private static async ValueTask<bool> WaitAsync(PeriodicTimer timer, CancellationToken stop)
    {
        try
        {
            return await timer.WaitForNextTickAsync(stop);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private int MoveOff()
    {
        int moved = 0;
        foreach ((IGrainContext context, IRingGrain grain) in local.All)
        {
            string key = context.GrainId.Key.ToString()!;
            ShardId? shard = GrainKeys.TryParseSession(key, out ulong session) ? ring.OfSession(session) : grain.Shard;
            if (shard is null || ring.Elsewhere(shard.Value) is not { } home) continue;
            context.Migrate(GrainRing.Hint(home));
            moved++;
        }
        return moved;
    }

    private async Task<int> WakeAsync(CancellationToken stop)
    {
        HashSet<string> here = local.Keys();
        var calls = new List<Task>();
        int woken = 0;
        CouncilAnswer answer;
        var afterSegment = default(SegmentId);
        do
        {
            answer = await council.AskAsync(new ListSegments(afterSegment, CouncilMachine.ListMax));
            if (answer is not SegmentsAnswer { Segments.Count: > 0 } page) break;
            foreach (SegmentInfo info in page.Segments)
            {
                string key = GrainKeys.OfSegment(new SegmentKey(info.Key), info.Id);
                if (here.Contains(key) || !ring.IsHere(info.FirstShard)) continue;
                woken++;
                await AddAsync(calls, grains.GetGrain<ISegmentGrain>(key).DescribeAsync(), stop);
            }
            afterSegment = page.Segments[^1].Id;
        }
        while (((SegmentsAnswer)answer).More);
        var afterSession = default(SessionId);
        do
        {
            answer = await council.AskAsync(new ListSessions(afterSession, CouncilMachine.ListMax));
            if (answer is not SessionsAnswer { Sessions.Count: > 0 } page) break;
            foreach (SessionInfo info in page.Sessions)
            {
                string key = GrainKeys.OfSession(info.Id.Value);
                if (here.Contains(key) || !ring.IsHere(ring.OfSession(info.Id.Value))) continue;
                woken++;
                await AddAsync(calls, grains.GetGrain<ISessionGrain>(key).WatchAsync(info.LeaseMs), stop);
            }
            afterSession = page.Sessions[^1].Id;
        }
        while (((SessionsAnswer)answer).More);
        await Task.WhenAll(calls).WaitAsync(stop);
        return woken;
    }

    private static async Task AddAsync(List<Task> calls, Task call, CancellationToken stop)
    {
        calls.Add(call);
        if (calls.Count < TouchesMax) return;
        await Task.WhenAll(calls).WaitAsync(stop);
        calls.Clear();
    }

    [LoggerMessage(300, LogLevel.Debug, "the ring has changed: {Moved} activations move off, {Woken} were activated here")]
    private partial void LogKept(int moved, int woken);

    [LoggerMessage(301, LogLevel.Debug, "the ring has changed and is not settled yet: {Reason}")]
    private partial void LogUnsettled(string reason);
}
