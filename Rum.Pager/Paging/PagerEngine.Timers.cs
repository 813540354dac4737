using System.Numerics;
using Rum.Core;

namespace Rum.Pager.Paging;

// What happens when nothing happens: asking again, saying so, giving up; and the figures.
public sealed unsafe partial class PagerEngine
{
    private const long ReportEveryNs = 1_000_000_000;
    private const long TickNs = 250_000_000;

    private long _nextTimerNs = long.MaxValue;
    private long _nextWriteReportNs;

    /// <summary>One thread more waits: someone must look after it even if nothing else comes.</summary>
    private void CountWaiting(long nowNs)
    {
        _waiting++;
        if (_nextTimerNs == long.MaxValue) _nextTimerNs = nowNs + TickNs;
    }

    private void ArmTimer(long atNs) => _nextTimerNs = Math.Min(_nextTimerNs, atNs);

    private void RunTimers(long nowNs)
    {
        _nextTimerNs = long.MaxValue;
        if (_waiting > 0)
        {
            for (int f = 0; f < _fetches.Length; f++)
                if (_fetches[f].Wanted != 0) CheckWaiting(f, nowNs);
        }

        if (_rescuesWanted > 0)
        {
            for (int w = 0; w < _writes.Length; w++)
                if (_writes[w].Wanted && !_writes[w].Region!.Closed) CheckRescue(ref _writes[w], nowNs);
        }

        if (_activeCount > 0) CheckCommands(nowNs);
        for (int t = 0; t < TrimCount; t++) CheckTrim(ref _trims[t], nowNs);
        for (int n = 0; n < _writeQueued; n++) CheckWriting(ref _writes[_writeQueue[(_writeHead + n) % _writeQueue.Length]], nowNs);
        for (int i = 0; i < _activeCount; i++)
            if (_active[i]!.Trims > 0) SendTrims(_active[i]!);
        if (_waiting > 0 || _queued > 0 || _writeQueued > 0 || _activeCount > 0) ArmTimer(nowNs + TickNs);
    }

    private void CheckWaiting(int fetch, long nowNs)
    {
        ref Fetch f = ref _fetches[fetch];
        if (f.Count == 0) return;
        long waited = nowNs - f.FaultNs;
        if (f.RetryNs != 0) ArmTimer(f.RetryNs);
        int k = BitOperations.TrailingZeroCount(f.Wanted);
        if (f.Slot < 0 && waited >= _options.GoneTimeoutNs && LostHoldRoom)
        {
            GiveUpFault(fetch, noRoom: true);
            return;
        }

        if (waited >= _options.FaultTimeoutNs && _options.FaultTimeoutNs > 0 || waited >= _options.GoneTimeoutNs && IsGone(f.Status))
        {
            GiveUpFault(fetch);
            return;
        }

        if (waited < ReportEveryNs || nowNs < f.ReportNs) return;
        f.ReportNs = nowNs + ReportEveryNs;
        _events.Waiting(new PageTrouble(f.Region!.Segment, f.First + k, false, StatusOf(f.Status), waited));
    }

    /// <summary>
    /// Whether room is held by images of changed pages that no silo will take before an operator mends their shards. Who waits for room waits for that,
    /// if nothing else has made some in the meantime, and must not for ever: it may be the very thread that would free them.
    /// </summary>
    private bool LostHoldRoom
    {
        get
        {
            foreach (ref WriteBack w in _writes.AsSpan())
                if (w.Region is not null && w.Status == PageStatus.Lost) return true;
            return false;
        }
    }

    /// <summary>Nobody will give the page again: the segment was freed, or has another writer. A session that is over is told so, and then its pages go.</summary>
    private static bool IsGone(PageStatus status) => status is PageStatus.Gone or PageStatus.Fenced;

    private static PageStatus StatusOf(PageStatus last) => last == PageStatus.Ok ? PageStatus.TimedOut : last;

    private void CheckWriting(ref WriteBack w, long nowNs)
    {
        if (w.RetryNs > nowNs) ArmTimer(w.RetryNs);
        if (w.StartNs == 0 || nowNs - w.StartNs < ReportEveryNs || nowNs < _nextWriteReportNs) return;
        // One for all: there may be thousands.
        _nextWriteReportNs = nowNs + ReportEveryNs;
        _events.Waiting(new PageTrouble(w.Region!.Segment, w.Page, true, w.Status, nowNs - w.StartNs));
    }

    private void CheckTrim(ref Trim trim, long nowNs)
    {
        if (trim.Region is null || trim.Command is null) return;
        if (trim.StartNs == 0)
        {
            trim.StartNs = nowNs;
            trim.ReportNs = nowNs + ReportEveryNs;
        }

        if (trim.RetryNs > nowNs) ArmTimer(trim.RetryNs);
        if (nowNs < trim.ReportNs) return;
        trim.ReportNs = nowNs + ReportEveryNs;
        _events.Waiting(new PageTrouble(trim.Region.Segment, trim.First, true, StatusOf(trim.Status), nowNs - trim.StartNs));
    }

    /// <summary>A fault on a page that is being written back, for whose copy there is no room: its data is here, but all room is held by what no silo takes.</summary>
    private void CheckRescue(ref WriteBack w, long nowNs)
    {
        long waited = nowNs - w.FaultNs;
        if (_options.FaultTimeoutNs > 0 && waited >= _options.FaultTimeoutNs || waited >= _options.GoneTimeoutNs && LostHoldRoom)
        {
            GiveUpRescue(ref w, nowNs);
            return;
        }

        if (waited < ReportEveryNs || nowNs < w.ReportNs) return;
        w.ReportNs = nowNs + ReportEveryNs;
        _events.Waiting(new PageTrouble(w.Region!.Segment, w.Page, false, StatusOf(w.Status), waited));
    }

    /// <summary>
    /// Calls that have not come on for the fault time-out end with Timeout; a flush also where lost shards hold the room that it needs. What they had written or
    /// dropped stays on its way.
    /// </summary>
    private void CheckCommands(long nowNs)
    {
        for (int i = 0; i < _activeCount;)
        {
            PagerCommand command = _active[i]!;
            if (command.Kind == PagerCommandKind.Map)
            {
                if (CheckTakeOver(command, nowNs)) Finish(i); else i++;
                continue;
            }

            long waited = nowNs - command.ProgressNs;
            bool late = _options.FaultTimeoutNs > 0 && waited >= _options.FaultTimeoutNs;
            bool lost = IsFlush(command) && command.Writes == 0 && waited >= _options.GoneTimeoutNs && LostHoldRoom;
            if (!late && !lost)
            {
                i++;
                continue;
            }

            command.Result = lost ? RumError.ShardLost : RumError.Timeout;
            Forget(command);
            if (IsPin(command)) Unpin(command);
            Finish(i);
        }
    }

    /// <summary>
    /// A page can't be had: its shard is lost, or there is no room for it, or the fault time-out is over. Who waits for it gets SIGBUS, and so does who touches
    /// it later; pins end with an error. A late answer is dropped.
    /// </summary>
    private void GiveUpFault(int fetch, bool noRoom = false)
    {
        ref Fetch f = ref _fetches[fetch];
        Region region = f.Region!;
        PageStatus status = noRoom ? PageStatus.Lost : StatusOf(f.Status);
        for (int k = 0; k < f.Count; k++)
        {
            ulong bit = 1UL << k;
            if ((f.Gone & bit) != 0) continue;
            long page = f.First + k;
            if (f.Slot >= 0) FreeSlot(region, f.Slot + k);
            region.Set(page, region[page].AbandonLoad());
            if ((f.Wanted & bit) == 0) continue;
            _waiting--;
            _events.GaveUp(new PageTrouble(region.Segment, page, false, status, _mapper.NowNs - f.FaultNs, noRoom));
            FailPins(region, page, status);
            if ((f.Touching & bit) == 0) continue;
            region.Poisoned = true;
            _mapper.Poison(region.AddressOf(page));
        }

        if (f.Asked != 0) _channel.Cancel(CookieOf(fetch));
        f.Asked = f.Wanted = 0;
        f.Gone = f.All;
        f.Poisoned = true;
        if (!f.Queued && !f.Touched) EndFetch(fetch);
    }

    /// <summary>As <see cref="GiveUpFault"/>. The image stays on its way.</summary>
    private void GiveUpRescue(ref WriteBack w, long nowNs)
    {
        Region region = w.Region!;
        w.Wanted = false;
        _rescuesWanted--;
        _waiting--;
        PageStatus status = StatusOf(w.Status);
        _events.GaveUp(new PageTrouble(region.Segment, w.Page, false, status, nowNs - w.FaultNs, w.Status == PageStatus.Lost));
        FailPins(region, w.Page, status);
        if (!w.Touching) return;
        region.Poisoned = true;
        _mapper.Poison(region.AddressOf(w.Page));
    }

    private static bool IsFlush(PagerCommand command) => command.Kind is PagerCommandKind.Flush or PagerCommandKind.FlushAndDrop;

    private static bool IsPin(PagerCommand command) => command.Kind is PagerCommandKind.Pin or PagerCommandKind.Hold;

    private void FailPins(Region region, long page, PageStatus status)
    {
        for (int i = 0; i < _activeCount; i++)
        {
            PagerCommand command = _active[i]!;
            if (!IsPin(command) || command.At != region || page < command.First || page >= command.End) continue;
            command.Result = status switch
            {
                PageStatus.Lost => RumError.ShardLost,
                PageStatus.Gone => RumError.NotFound,
                PageStatus.Fenced => RumError.Fenced,
                _ => RumError.Timeout,
            };
        }
    }

    /// <summary>Counters and gauges as of now; may be called from any thread, the values are then those of slightly different moments.</summary>
    public PagerStatistics Statistics(long managedBytes) => new()
    {
        Faults = _faults,
        ZeroFills = _zeroFills,
        PagesFetched = _fetched,
        PagesPrefetched = _prefetched,
        PagesCopied = _copied,
        Evictions = _evictions,
        WriteBacks = _writeBacks,
        Rescues = _rescues,
        Discards = _discards,
        ResidentBytes = (long)(_options.CachePages - _unbacked) << Layout.PageShift,
        CacheBytes = (long)_options.CachePages << Layout.PageShift,
        PinnedBytes = (long)(_pinnedPages + Volatile.Read(ref _triedPins)) << Layout.PageShift,
        FaultsWaiting = Math.Max(_waiting, 0),
        FaultNs = _faultTimes.Snapshot(),
        ManagedBytesAllocated = managedBytes,
    };
}
