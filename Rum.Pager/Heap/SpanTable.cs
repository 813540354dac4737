using System.Threading;
using Rum.Core;

namespace Rum.Pager.Heap;

/// <summary>
/// The spans of a heap and the map from page to span. Changed under the page lock; the map may be read without it.
/// Invariant: the first and the last page of every span, and every page of a slab, name it; all other pages name span 0. So neighbours are found by one
/// look, and a pointer into the middle of a run or into free memory finds nothing.
/// </summary>
internal sealed unsafe class SpanTable : IDisposable
{
    private readonly nint _base;
    private readonly long _mapBytes;
    private readonly long _spanBytes;
    private readonly uint _capacity;
    private uint _used = 1;
    private uint _recycled;

    public SpanTable(nint baseAddress, long reservedBytes)
    {
        _base = baseAddress;
        long pages = reservedBytes >> Layout.PageShift;
        _capacity = (uint)Math.Min(pages / 2 + 16, uint.MaxValue);
        _mapBytes = pages * sizeof(uint);
        _spanBytes = (long)_capacity * sizeof(HeapSpan);
        Map = (uint*)NativeReserve.Take(_mapBytes);
        Spans = (HeapSpan*)NativeReserve.Take(_spanBytes);
    }

    /// <summary>Page number (from the base) to span number.</summary>
    public uint* Map { get; }

    /// <summary>The spans.</summary>
    public HeapSpan* Spans { get; }

    /// <summary>Local bytes touched for spans, about.</summary>
    public long BytesUsed => _used * (long)sizeof(HeapSpan);

    /// <summary>The page number of an address.</summary>
    public long PageOf(nint address) => (address - _base) >> Layout.PageShift;

    /// <summary>The address of a page.</summary>
    public nint AddressOf(long page) => _base + (nint)(page << Layout.PageShift);

    /// <summary>Whether that many spans can be made for certain.</summary>
    public bool HasRoom(uint spans) => _capacity - _used >= spans;

    /// <summary>A new span, not yet in the map; 0 when the table is full.</summary>
    public uint Create(SpanKind kind, nint start, long pages)
    {
        uint id = _recycled;
        if (id != 0) _recycled = Spans[id].Next;
        else if (_used < _capacity) id = _used++;
        else return 0;
        Spans[id] = new HeapSpan { Start = start, Pages = (uint)pages, Kind = kind };
        return id;
    }

    /// <summary>Ends a span that is in no list and not in the map.</summary>
    public void Destroy(uint id)
    {
        Spans[id] = new HeapSpan { Kind = SpanKind.None, Next = _recycled };
        _recycled = id;
    }

    /// <summary>Enters the ends of a span into the map.</summary>
    public void MapEnds(uint id)
    {
        long first = PageOf(Spans[id].Start);
        Volatile.Write(ref Map[first], id);
        Volatile.Write(ref Map[first + Spans[id].Pages - 1], id);
    }

    /// <summary>Takes the ends of a span out of the map.</summary>
    public void UnmapEnds(uint id)
    {
        long first = PageOf(Spans[id].Start);
        Map[first] = 0;
        Map[first + Spans[id].Pages - 1] = 0;
    }

    /// <summary>Enters every page of a span into the map.</summary>
    public void MapAll(uint id)
    {
        long first = PageOf(Spans[id].Start);
        for (long page = first; page < first + Spans[id].Pages; page++) Volatile.Write(ref Map[page], id);
    }

    /// <summary>Takes every page of a span out of the map.</summary>
    public void UnmapAll(uint id)
    {
        long first = PageOf(Spans[id].Start);
        for (long page = first; page < first + Spans[id].Pages; page++) Volatile.Write(ref Map[page], 0);
    }

    /// <summary>Puts a span at the front of a list.</summary>
    public void Push(ref uint head, uint id)
    {
        Spans[id].Previous = 0;
        Spans[id].Next = head;
        if (head != 0) Spans[head].Previous = id;
        head = id;
    }

    /// <summary>Takes a span out of the list that it is in.</summary>
    public void Remove(ref uint head, uint id)
    {
        uint previous = Spans[id].Previous;
        uint next = Spans[id].Next;
        if (previous != 0) Spans[previous].Next = next;
        else
        {
            Invariant.Check(head == id);
            head = next;
        }
        if (next != 0) Spans[next].Previous = previous;
        Spans[id].Previous = 0;
        Spans[id].Next = 0;
    }

    public void Dispose()
    {
        NativeReserve.Return(Map, _mapBytes);
        NativeReserve.Return(Spans, _spanBytes);
    }
}
