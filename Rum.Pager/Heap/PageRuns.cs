using System.Numerics;
using System.Threading;
using Rum.Core;

namespace Rum.Pager.Heap;

/// <summary>
/// Hands out runs of whole pages of the heap's space and takes them back, coalesced. Runs with old bytes and runs known to be zero are kept apart:
/// the former are taken first, because they may be resident, and are discarded when there are many. Has its own lock; blocking calls to the
/// space are made without it.
/// </summary>
internal sealed partial class PageRuns : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Lock _growing = new();
    private readonly IHeapSpace _space;
    private readonly SpanTable _table;
    private readonly StatePool _states = new();
    private readonly FreeRuns _clean;
    private readonly FreeRuns _dirty;
    private uint _released;
    private long _releasedPages;
    private long _endPage;

    public PageRuns(IHeapSpace space)
    {
        _space = space;
        _table = new SpanTable(space.BaseAddress, space.ReservedBytes);
        _clean = new FreeRuns(_table);
        _dirty = new FreeRuns(_table);
    }

    /// <summary>The spans.</summary>
    public SpanTable Table => _table;

    /// <summary>Takes pages for the program. <paramref name="zero"/>: all of it is known to read as zeros.</summary>
    public unsafe RumError TakeRun(long pages, long alignPages, out nint address, out bool zero)
    {
        RumError error = Take(pages, alignPages, SpanKind.Run, out uint id);
        address = error == RumError.None ? _table.Spans[id].Start : 0;
        zero = error == RumError.None && !_table.Spans[id].Dirty;
        return error;
    }

    /// <summary>Takes a slab of the class, all objects free; it is in no list.</summary>
    public unsafe RumError TakeSlab(int sizeClass, out uint id)
    {
        RumError error = Take(SizeClasses.SlabPages(sizeClass), 1, SpanKind.Slab, out id, sizeClass);
        return error;
    }

    /// <summary>Takes back a slab without used objects.</summary>
    public unsafe void ReturnSlab(uint id)
    {
        lock (_lock)
        {
            HeapSpan* slab = _table.Spans + id;
            _table.UnmapAll(id);
            _states.Return(slab->SizeClass, slab->States);
            nint start = slab->Start;
            uint pages = slab->Pages;
            bool dirty = slab->IdlePages != 0;
            _table.Destroy(id);
            AddFree(start, pages, dirty);
        }
    }

    /// <summary>Takes back a run. BadPointer unless <paramref name="address"/> is the start of one.</summary>
    public unsafe RumError ReturnRun(nint address, out long pages)
    {
        lock (_lock)
        {
            pages = 0;
            if (!FindRun(address, out uint id)) return RumError.BadPointer;
            pages = _table.Spans[id].Pages;
            _table.UnmapEnds(id);
            _table.Destroy(id);
            AddFree(address, pages, dirty: true);
            return RumError.None;
        }
    }

    /// <summary>Pages of the run that starts at an address; false: none does.</summary>
    public unsafe bool TryGetRun(nint address, out long pages)
    {
        lock (_lock)
        {
            pages = 0;
            if (!FindRun(address, out uint id)) return false;
            pages = _table.Spans[id].Pages;
            return true;
        }
    }

    /// <summary>Makes a run longer or shorter where it stands. False: no room behind it.</summary>
    public unsafe bool TryResize(nint address, long pages)
    {
        lock (_lock)
        {
            if (!FindRun(address, out uint id) || !_table.HasRoom(2)) return false;
            HeapSpan* run = _table.Spans + id;
            long first = _table.PageOf(address);
            if (pages == run->Pages) return true;
            if (pages < run->Pages)
            {
                uint rest = (uint)(run->Pages - pages);
                _table.UnmapEnds(id);
                run->Pages = (uint)pages;
                _table.MapEnds(id);
                AddFree(_table.AddressOf(first + pages), rest, dirty: true);
                return true;
            }
            long behind = first + run->Pages;
            uint next = behind < _endPage ? _table.Map[behind] : 0;
            if (next == 0 || _table.Spans[next].Kind != SpanKind.Free) return false;
            long more = pages - run->Pages;
            if (_table.Spans[next].Pages < more) return false;
            bool dirty = _table.Spans[next].Dirty;
            long left = _table.Spans[next].Pages - more;
            Detach(next);
            _table.Destroy(next);
            _table.UnmapEnds(id);
            run->Pages = (uint)pages;
            run->Dirty |= dirty;
            _table.MapEnds(id);
            if (left > 0) AddFree(_table.AddressOf(first + pages), left, dirty);
            return true;
        }
    }

    private RumError Take(long pages, long alignPages, SpanKind kind, out uint id, int sizeClass = 0)
    {
        lock (_lock)
        {
            if (TakeLocked(pages, alignPages, kind, sizeClass, out id)) return RumError.None;
        }
        return TakeSlowly(pages, alignPages, kind, sizeClass, out id);
    }

    private unsafe bool TakeLocked(long pages, long alignPages, SpanKind kind, int sizeClass, out uint id)
    {
        long ask = pages + alignPages - 1;
        id = _table.HasRoom(2) ? _dirty.Find(ask) : 0;
        if (id == 0 && _table.HasRoom(2)) id = _clean.Find(ask);
        if (id == 0) return false;

        Detach(id);
        HeapSpan* span = _table.Spans + id;
        long first = _table.PageOf(span->Start);
        long total = span->Pages;
        bool dirty = span->Dirty;
        long front = -(first + BasePage) & (alignPages - 1);
        *span = new HeapSpan { Start = _table.AddressOf(first + front), Pages = (uint)pages, Kind = kind, Dirty = dirty };
        if (kind == SpanKind.Slab) MakeSlab(id, sizeClass);
        else _table.MapEnds(id);
        if (front > 0) AddFree(_table.AddressOf(first), front, dirty);
        if (total > front + pages) AddFree(_table.AddressOf(first + front + pages), total - front - pages, dirty);
        return true;
    }

    // The base itself may be less aligned than what is asked for.
    private long BasePage => _space.BaseAddress >> Layout.PageShift;

    private unsafe void MakeSlab(uint id, int sizeClass)
    {
        HeapSpan* slab = _table.Spans + id;
        uint size = (uint)SizeClasses.SizeOf(sizeClass);
        slab->SizeClass = (byte)sizeClass;
        slab->ObjectSize = size;
        slab->Magic = ((1UL << 40) + size - 1) / size;
        slab->Count = (uint)SizeClasses.SlabObjects(sizeClass);
        slab->FreeCount = slab->Count;
        slab->States = _states.Take(sizeClass);
        slab->IdlePages = slab->Dirty ? ulong.MaxValue >> (64 - (int)slab->Pages) : 0;
        _table.MapAll(id);
    }

    /// <summary>Enters free pages, merged with free neighbours of the same kind.</summary>
    private unsafe void AddFree(nint start, long pages, bool dirty)
    {
        long first = _table.PageOf(start);
        if (first > 0) Swallow(_table.Map[first - 1], dirty, ref first, ref pages);
        if (first + pages < _endPage) Swallow(_table.Map[first + pages], dirty, ref first, ref pages);
        uint id = _table.Create(SpanKind.Free, _table.AddressOf(first), pages);
        Invariant.Check(id != 0);
        _table.Spans[id].Dirty = dirty;
        _table.MapEnds(id);
        (dirty ? _dirty : _clean).Add(id);
    }

    private unsafe void Swallow(uint neighbour, bool dirty, ref long first, ref long pages)
    {
        if (neighbour == 0) return;
        HeapSpan* span = _table.Spans + neighbour;
        if (span->Kind != SpanKind.Free || span->Dirty != dirty) return;
        first = Math.Min(first, _table.PageOf(span->Start));
        pages += span->Pages;
        Detach(neighbour);
        _table.Destroy(neighbour);
    }

    /// <summary>Takes a free span out of its list and out of the map.</summary>
    private unsafe void Detach(uint id)
    {
        (_table.Spans[id].Dirty ? _dirty : _clean).Remove(id);
        _table.UnmapEnds(id);
    }

    private unsafe bool FindRun(nint address, out uint id)
    {
        long page = _table.PageOf(address);
        id = page >= 0 && page < _endPage ? _table.Map[page] : 0;
        return id != 0 && _table.Spans[id].Kind == SpanKind.Run && _table.Spans[id].Start == address;
    }

    public void Dispose()
    {
        _table.Dispose();
        _states.Dispose();
    }
}
