using System.Numerics;
using Rum.Core;

namespace Rum.Pager.Paging;

// What happens when nothing happens: asking again, saying so, giving up; and the figures.
public sealed unsafe partial class PagerEngine
{
    private const long ReportEveryNs = 1_000_000_000;
    private const long TickNs = 250_000_000;

    private long _nextTimerNs = long.MaxValue;

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
        if (_options.FaultTimeoutNs > 0 && waited >= _options.FaultTimeoutNs)
        {
            _events.GaveUp(new PageTrouble(f.Region!.Segment, f.First + k, false, StatusOf(f.Status), waited));
            GiveUpFault(fetch);
            return;
        }

        if (waited < ReportEveryNs || nowNs < f.ReportNs) return;
        f.ReportNs = nowNs + ReportEveryNs;
        _events.Waiting(new PageTrouble(f.Region!.Segment, f.First + k, false, StatusOf(f.Status), waited));
    }

    private static PageStatus StatusOf(PageStatus last) => last == PageStatus.Ok ? PageStatus.TimedOut : last;

    private void CheckWriting(ref WriteBack w, long nowNs)
    {
        if (w.RetryNs > nowNs) ArmTimer(w.RetryNs);
        if (w.StartNs == 0 || nowNs < w.ReportNs) return;
        w.ReportNs = nowNs + ReportEveryNs;
        _events.Waiting(new PageTrouble(w.Region!.Segment, w.Page, true, w.Status, nowNs - w.StartNs));
    }

    /// <summary>The fault time-out: who waits for these pages gets SIGBUS, and so does who touches them later. A late answer is dropped.</summary>
    private void GiveUpFault(int fetch)
    {
        ref Fetch f = ref _fetches[fetch];
        Region region = f.Region!;
        for (uint left = f.Wanted; left != 0; left &= left - 1)
        {
            int k = BitOperations.TrailingZeroCount(left);
            _waiting--;
            _mapper.Poison(region.AddressOf(f.First + k));
        }

        f.FaultNs = long.MaxValue / 2;
        f.Wanted = 0;
        f.Poisoned = true;
    }

    /// <summary>Counters and gauges as of now; may be called from any thread, the values are then those of slightly different moments.</summary>
    public PagerStatistics Statistics(long managedBytes) => new()
    {
        Faults = _faults,
        ZeroFills = _zeroFills,
        PagesFetched = _fetched,
        PagesPrefetched = _prefetched,
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
