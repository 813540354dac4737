using Rum.Core;

namespace Rum.Pager.Heap;

// What happens when no free run is long enough, and when there are too many: the calls that go out to the silos. They run under _growing (or nothing),
// never under _lock, so that other threads go on with what is there.
internal sealed partial class PageRuns
{
    private const long StepBytesMin = 4L << 20;
    private const long StepBytesMax = 256L << 20;
    private const int StepFraction = 4;
    private const long DirtyPagesMin = 1024;

    private long _discarded;

    private RumError TakeSlowly(long pages, long alignPages, SpanKind kind, int sizeClass, out uint id)
    {
        lock (_growing)
        {
            // Another thread may have made room while this one waited.
            if (TryTake(pages, alignPages, kind, sizeClass, out id)) return RumError.None;
            long ask = pages + alignPages - 1;
            if (Recharge(ask) && TryTake(pages, alignPages, kind, sizeClass, out id)) return RumError.None;
            if (DirtyPages() > 0)
            {
                DiscardDirty();
                if (TryTake(pages, alignPages, kind, sizeClass, out id)) return RumError.None;
            }
            RumError error = Grow(ask);
            if (TryTake(pages, alignPages, kind, sizeClass, out id)) return RumError.None;
            if (RechargeAll() && TryTake(pages, alignPages, kind, sizeClass, out id)) return RumError.None;
            return error == RumError.None ? RumError.OutOfMemory : error;
        }
    }

    private bool TryTake(long pages, long alignPages, SpanKind kind, int sizeClass, out uint id)
    {
        lock (_lock) return TakeLocked(pages, alignPages, kind, sizeClass, out id);
    }

    /// <summary>
    /// Grows the space: at least by what is missing, at best by a quarter of what there is, so that a small program charges little and a big one asks seldom.
    /// </summary>
    private RumError Grow(long ask)
    {
        long end;
        long missing;
        lock (_lock)
        {
            end = _endPage << Layout.PageShift;
            missing = Math.Max(1, ask - CleanTail()) << Layout.PageShift;
        }
        long room = _space.ReservedBytes - end;
        if (missing > room) return RumError.OutOfMemory;
        long step = Math.Clamp(end / StepFraction & -Layout.PageSize, StepBytesMin, StepBytesMax);
        long target = end + Math.Min(Math.Max(missing, step), room);

        RumError error = _space.Grow(target);
        if (error == RumError.OutOfMemory && target > end + missing)
        {
            target = end + missing;
            error = _space.Grow(target);
        }
        if (error != RumError.None) return error;
        lock (_lock)
        {
            _endPage = target >> Layout.PageShift;
            AddFree(_table.AddressOf(end >> Layout.PageShift), (target - end) >> Layout.PageShift, dirty: false);
        }
        return RumError.None;
    }

    private unsafe long CleanTail()
    {
        uint last = _endPage > 0 ? _table.Map[_endPage - 1] : 0;
        return last != 0 && _table.Spans[last].Kind == SpanKind.Free && !_table.Spans[last].Dirty ? _table.Spans[last].Pages : 0;
    }

    private long DirtyPages()
    {
        lock (_lock) return _dirty.Pages;
    }

    /// <summary>
    /// Discards free runs with old bytes and gives whole free extents back, when there is enough of either (always with <paramref name="all"/>).
    /// Call it without any lock.
    /// </summary>
    public void Trim(bool all)
    {
        lock (_lock)
        {
            long limit = all ? 0 : Math.Max(DirtyPagesMin, (_endPage - _releasedPages) / 16);
            if (_dirty.Pages <= limit) return;
        }
        lock (_growing)
        {
            DiscardDirty();
            ReleaseExtents();
        }
    }

    /// <summary>Under _growing.</summary>
    private unsafe void DiscardDirty()
    {
        while (true)
        {
            nint start;
            long pages;
            uint id;
            lock (_lock)
            {
                int list = -1;
                id = _dirty.FirstFrom(ref list);
                if (id == 0) return;
                // Still in the map, so that nobody merges with it, but neither free nor a run to anyone.
                _dirty.Remove(id);
                _table.Spans[id].Kind = SpanKind.Withheld;
                start = _table.Spans[id].Start;
                pages = _table.Spans[id].Pages;
            }
            _space.Discard(start, pages << Layout.PageShift);
            lock (_lock)
            {
                _discarded += pages;
                _table.UnmapEnds(id);
                _table.Destroy(id);
                AddFree(start, pages, dirty: false);
            }
        }
    }
}
