using Rum.Core;

namespace Rum.Pager.Heap;

// Whole free extents: their charge goes back to the silos and is asked for again when it is needed. All under _growing.
internal sealed partial class PageRuns
{
    /// <summary>Free extents kept charged at least, and that part of what is charged.</summary>
    private const int KeptExtentsMin = 1;
    private const int KeptFraction = 8;

    private unsafe void ReleaseExtents()
    {
        while (TryWithholdExtents(out long first, out int count))
        {
            RumError error = _space.Release(first, count);
            lock (_lock)
            {
                long page = first * Layout.PagesPerExtent;
                uint id = _table.Map[page];
                if (error != RumError.None)
                {
                    nint start = _table.Spans[id].Start;
                    long pages = _table.Spans[id].Pages;
                    _table.UnmapEnds(id);
                    _table.Destroy(id);
                    AddFree(start, pages, dirty: false);
                    return;
                }
                _table.Spans[id].Kind = SpanKind.Released;
                _table.Push(ref _released, id);
                _releasedPages += _table.Spans[id].Pages;
            }
        }
    }

    /// <summary>Cuts whole extents that may be given back out of a clean run.</summary>
    private unsafe bool TryWithholdExtents(out long firstExtent, out int count)
    {
        lock (_lock)
        {
            long kept = Math.Max(KeptExtentsMin * Layout.PagesPerExtent, (_endPage - _releasedPages) / KeptFraction);
            long spare = (_clean.Pages - kept) / Layout.PagesPerExtent;
            (firstExtent, count) = (0, 0);
            if (spare <= 0 || !_table.HasRoom(2)) return false;
            int list = -1;
            for (uint head = _clean.FirstFrom(ref list); head != 0; head = _clean.FirstFrom(ref list))
            {
                for (uint id = head; id != 0; id = _table.Spans[id].Next)
                {
                    long first = _table.PageOf(_table.Spans[id].Start);
                    long pages = _table.Spans[id].Pages;
                    firstExtent = (first + Layout.PagesPerExtent - 1) / Layout.PagesPerExtent;
                    count = (int)Math.Min(spare, (first + pages) / Layout.PagesPerExtent - firstExtent);
                    if (count <= 0) continue;
                    Detach(id);
                    long cut = firstExtent * Layout.PagesPerExtent;
                    long cutPages = (long)count * Layout.PagesPerExtent;
                    _table.Spans[id] = new HeapSpan { Start = _table.AddressOf(cut), Pages = (uint)cutPages, Kind = SpanKind.Withheld };
                    _table.MapEnds(id);
                    if (cut > first) AddFree(_table.AddressOf(first), cut - first, dirty: false);
                    long behind = first + pages - (cut + cutPages);
                    if (behind > 0) AddFree(_table.AddressOf(cut + cutPages), behind, dirty: false);
                    return true;
                }
            }
            return false;
        }
    }

    /// <summary>Charges as many extents of the tightest released span as <paramref name="pages"/> need. False: none is long enough or there is no room.</summary>
    private unsafe bool Recharge(long pages)
    {
        long need = (pages + Layout.PagesPerExtent - 1) / Layout.PagesPerExtent * Layout.PagesPerExtent;
        uint best = 0;
        lock (_lock)
        {
            for (uint id = _released; id != 0; id = _table.Spans[id].Next)
            {
                if (_table.Spans[id].Pages >= need && (best == 0 || _table.Spans[id].Pages < _table.Spans[best].Pages)) best = id;
            }
        }
        return best != 0 && Recharge(best, need);
    }

    /// <summary>The last resort before OutOfMemory: charges every released span that the silos have room for.</summary>
    private unsafe bool RechargeAll()
    {
        bool any = false;
        while (true)
        {
            uint id;
            long pages;
            lock (_lock)
            {
                id = _released;
                pages = id == 0 ? 0 : _table.Spans[id].Pages;
            }
            if (id == 0 || !Recharge(id, pages)) return any;
            any = true;
        }
    }

    private unsafe bool Recharge(uint id, long pages)
    {
        // Only this thread changes released spans: it has _growing.
        long first = _table.PageOf(_table.Spans[id].Start);
        RumError error = _space.Charge(first / Layout.PagesPerExtent, (int)(pages / Layout.PagesPerExtent));
        if (error != RumError.None) return false;
        lock (_lock)
        {
            long rest = _table.Spans[id].Pages - pages;
            _table.Remove(ref _released, id);
            _table.UnmapEnds(id);
            _releasedPages -= pages;
            if (rest > 0)
            {
                _table.Spans[id].Start = _table.AddressOf(first + pages);
                _table.Spans[id].Pages = (uint)rest;
                _table.MapEnds(id);
                _table.Push(ref _released, id);
            }
            else
            {
                _table.Destroy(id);
            }
            AddFree(_table.AddressOf(first), pages, dirty: false);
        }
        return true;
    }

    /// <summary>Adds what is known of pages to the statistics.</summary>
    public void Describe(HeapStatistics statistics)
    {
        lock (_lock)
        {
            statistics.SpaceBytes = _endPage << Layout.PageShift;
            statistics.ReleasedBytes = _releasedPages << Layout.PageShift;
            statistics.FreeRunBytes = (_clean.Pages + _dirty.Pages) << Layout.PageShift;
            statistics.LongestFreeRunBytes = Math.Max(_clean.LongestPages(), _dirty.LongestPages()) << Layout.PageShift;
            statistics.DiscardedBytes += _discarded << Layout.PageShift;
            statistics.LocalBytes += _states.BytesUsed + _table.BytesUsed + (_endPage * sizeof(uint));
        }
    }
}
