using Microsoft.Extensions.Logging;
using Rum.Core;
using Rum.Core.Council;
using Rum.FastPath.Server;
using Rum.Silo.Control;
using Rum.Silo.Council;

namespace Rum.Silo.Snapshots;

/// <summary>What a silo does about snapshots.</summary>
/// <param name="Directory">Where its files are, null for nowhere: then nothing that it alone stores can be saved.</param>
/// <param name="Every">How often the cluster makes one while this silo leads the council; zero: only when asked.</param>
/// <param name="Keep">How many of those are kept.</param>
public sealed record SnapshotOptions(string? Directory, TimeSpan Every, int Keep);

/// <summary>
/// A silo's part in snapshots: where it leads the council it leads all silos to the cut and orders those that are due; everywhere it writes the own part and removes files of snapshots that are no
/// more. Works from what the council knows alone, so whoever comes next goes on. One task.
/// </summary>
public sealed partial class SnapshotKeeper(SnapshotOptions options, ICouncil council, PageServer server, Membership membership, ILogger log)
{
    /// <summary>Snapshots of the schedule are called so, and only these are removed by it.</summary>
    public const string AutoPrefix = "auto-";

    private static readonly TimeSpan BusyPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan IdlePause = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan TroublePause = TimeSpan.FromSeconds(1);

    private readonly ILogger _log = log;
    private readonly SemaphoreSlim _news = new(0, 1);

    /// <summary>Something about snapshots has changed at the council. Any thread.</summary>
    public void News()
    {
        if (_news.CurrentCount > 0) return;
        try
        {
            _news.Release();
        }
        catch (SemaphoreFullException)
        {
            // Somebody else has just said so.
        }
    }

    /// <summary>Works until stopped.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            TimeSpan pause = TroublePause;
            try
            {
                pause = await LookAsync(stop) ? BusyPause : options.Every > TimeSpan.Zero ? Min(options.Every, IdlePause) : Timeout.InfiniteTimeSpan;
            }
            catch (Exception e) when (e is CouncilUnreachableException or CouncilRefusedException)
            {
                // The council is asked again; it says itself what is wrong with it.
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                LogTrouble(e.Message);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            try
            {
                await _news.WaitAsync(pause, stop);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>Makes a snapshot and waits for its end, or for that of one that is under way; false: it came to nothing.</summary>
    public async Task<bool> MakeAsync(string name, CancellationToken patience)
    {
        Result begun = await DecideAsync(new BeginSnapshot(name, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()), patience);
        if (begun.Error is not (RumError.None or RumError.Pending)) return false;
        while (true)
        {
            SnapshotInfo? last = (await ListAsync(patience)).LastOrDefault();
            if (last is null || last.State == SnapshotState.Failed) return false;
            if (last.State == SnapshotState.Complete) return true;
            await Task.Delay(BusyPause, patience);
        }
    }

    private async Task<bool> LookAsync(CancellationToken stop)
    {
        if (membership.Map is not { } map) return true;
        IReadOnlyList<SnapshotInfo> all = await ListAsync(stop);
        Tidy(map.View.ClusterId, all);
        bool busy = false;
        ulong kept = await server.CutAsync();
        foreach (SnapshotInfo snapshot in all)
        {
            if (snapshot.State == SnapshotState.Cutting)
            {
                busy = true;
                if (council.LeadsHere) await CutAsync(snapshot, stop);
            }
            else if (snapshot.State == SnapshotState.Saving)
            {
                busy = true;
                if (snapshot.Parts.FirstOrDefault(part => part.Silo == membership.Id && !part.Saved) is not null) await SaveAsync(snapshot, map.View, stop);
            }
        }
        // A cut whose snapshot came to nothing, or in which this silo has no part. While one is being made the new one replaces it.
        if (kept != 0 && !busy) await server.EndCutAsync(kept);
        if (!busy && council.LeadsHere) busy = await ScheduleAsync(all, stop);
        return busy;
    }

    private async Task<bool> ScheduleAsync(IReadOnlyList<SnapshotInfo> all, CancellationToken stop)
    {
        SnapshotInfo[] own = [.. all.Where(static snapshot => snapshot.State == SnapshotState.Complete && snapshot.Name.StartsWith(AutoPrefix, StringComparison.Ordinal))];
        foreach (SnapshotInfo old in own.Take(Math.Max(0, own.Length - options.Keep)))
        {
            if (options.Every > TimeSpan.Zero) await DecideAsync(new DeleteSnapshot(old.Id), stop);
        }
        if (options.Every <= TimeSpan.Zero) return false;
        long now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        if (all.Count > 0 && now - all[^1].TimeMs < options.Every.TotalMilliseconds) return false;
        await DecideAsync(new BeginSnapshot($"{AutoPrefix}{DateTimeOffset.FromUnixTimeMilliseconds(now):yyyyMMdd-HHmmss}", now), stop);
        return true;
    }

    private async Task<IReadOnlyList<SnapshotInfo>> ListAsync(CancellationToken stop)
    {
        CouncilAnswer answer = await council.AskAsync(new ListSnapshots(), stop);
        return answer is SnapshotsAnswer list ? list.Snapshots : throw new CouncilRefusedException(answer.Error, answer.Message);
    }

    private async Task<Result> DecideAsync(Command command, CancellationToken stop)
    {
        CouncilAnswer answer = await council.AskAsync(new CommandRequest(default, command), stop);
        return answer is CommandAnswer decided ? decided.Result : throw new CouncilRefusedException(answer.Error, answer.Message);
    }

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;

    [LoggerMessage(300, LogLevel.Warning, "snapshots: {Trouble}")]
    private partial void LogTrouble(string trouble);

    [LoggerMessage(301, LogLevel.Information, "snapshot {Name}: the cut is made, acknowledgements were held for {Ms:0.0} ms, try {Try}")]
    private partial void LogCut(string name, double ms, int @try);

    [LoggerMessage(302, LogLevel.Information, "snapshot {Name}: saved {Pages} pages ({Size}) in {Path}")]
    private partial void LogSaved(string name, long pages, string size, string path);

    [LoggerMessage(303, LogLevel.Warning, "snapshot {Name} comes to nothing: {Reason}")]
    private partial void LogFailed(string name, string reason);

    [LoggerMessage(304, LogLevel.Information, "removed {Path}: its snapshot is no more")]
    private partial void LogRemoved(string path);
}
