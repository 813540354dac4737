using System.Runtime.CompilerServices;
using System.Threading;
using Rum.Core;

namespace Rum.Pager.Heap;

/// <summary>
/// An allocator over memory that is far away: all its books are local, so allocating and freeing touch no byte of the space. Objects below 32 KiB come from
/// slabs of one size through a cache of the thread, larger ones are runs of pages. Every member may be called from any thread. Wrong pointers are
/// told from right ones and refused with <see cref="RumError.BadPointer"/>; only a wrong free racing with the end of its slab can go unnoticed.
/// </summary>
public sealed unsafe partial class RemoteHeap : IDisposable
{
    private static ulong s_lastId;

    [ThreadStatic]
    private static ThreadCache* t_cache;

    private readonly ulong _id = Interlocked.Increment(ref s_lastId);
    private readonly IHeapSpace _space;
    private readonly nint _base;
    private readonly nuint _reserved;
    private readonly PageRuns _pages;
    private readonly SlabClass[] _classes = new SlabClass[SizeClasses.Count];

    /// <summary>Makes an empty heap; it grows at its first allocation.</summary>
    public RemoteHeap(IHeapSpace space)
    {
        _space = space;
        _base = space.BaseAddress;
        _reserved = (nuint)space.ReservedBytes;
        _pages = new PageRuns(space);
        for (int i = 0; i < _classes.Length; i++) _classes[i] = new SlabClass(i, _pages);
        lock (Heaps) Heaps.Add(this);
    }

    /// <summary>Whether an address lies in the heap's space.</summary>
    public bool Owns(nint address) => (nuint)(address - _base) < _reserved;

    /// <summary>
    /// Allocates at least <paramref name="size"/> bytes (1 or more), at a multiple of 16. OutOfMemory, Unavailable or SessionExpired when the space can't grow.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public RumError Allocate(nuint size, out nint address)
    {
        ThreadCache* cache = t_cache;
        if (size - 1 < SizeClasses.MaxSmall && cache != null && cache->HeapId == _id)
        {
            ClassCache* of = ThreadCache.Classes(cache) + SizeClasses.Of(size);
            if (of->Count > 0)
            {
                CachedObject top = of->Entries[--of->Count];
                of->Allocated++;
                *top.State = ObjectState.Used;
                address = top.Address;
                return RumError.None;
            }
        }
        return AllocateSlowly(size, out address);
    }

    /// <summary>Frees an object. BadPointer, and nothing changed, when the address isn't one that is in use.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public RumError Free(nint address)
    {
        ThreadCache* cache = t_cache;
        if (cache != null && cache->HeapId == _id)
        {
            nuint offset = (nuint)(address - cache->Base);
            if (offset < cache->Reserved)
            {
                HeapSpan* span = cache->Spans + Volatile.Read(ref cache->Map[offset >> Layout.PageShift]);
                if (span->Kind == SpanKind.Slab)
                {
                    uint within = (uint)(address - span->Start);
                    uint index = (uint)((within * span->Magic) >> 40);
                    byte* state = span->States + index;
                    if (index * span->ObjectSize == within && index < span->Count
                        && Interlocked.CompareExchange(ref *state, ObjectState.Cached, ObjectState.Used) == ObjectState.Used)
                    {
                        ClassCache* of = ThreadCache.Classes(cache) + span->SizeClass;
                        of->Entries[of->Count++] = new CachedObject { Address = address, State = state };
                        of->Freed++;
                        if (of->Count == of->Capacity) ReturnHalf(of, span->SizeClass);
                        return RumError.None;
                    }
                }
            }
        }
        return FreeSlowly(address);
    }

    /// <summary>Allocates at a multiple of <paramref name="alignment"/>, a power of two up to 2 GiB.</summary>
    public RumError AllocateAligned(nuint size, nuint alignment, out nint address)
    {
        address = 0;
        if (size == 0 || size > (ulong)Layout.MaxSegmentSize || !nuint.IsPow2(alignment) || alignment > (nuint)(1L << 31)) return RumError.InvalidArgument;
        int sizeClass = size <= SizeClasses.MaxSmall ? SizeClasses.OfAligned(size, alignment) : -1;
        if (sizeClass >= 0 && SizeClasses.SizeOf(sizeClass) <= SizeClasses.MaxSmall) return Allocate((nuint)SizeClasses.SizeOf(sizeClass), out address);
        long alignPages = Math.Max(1, (long)alignment >> Layout.PageShift);
        return AllocateRun(Layout.PagesFor((long)size), alignPages, out address, out _);
    }

    /// <summary>As <see cref="Allocate"/>; <paramref name="zero"/> says whether the bytes are known to read as zeros, else the caller must clear them.</summary>
    public RumError AllocateZeroed(nuint size, out nint address, out bool zero)
    {
        zero = false;
        if (size - 1 < SizeClasses.MaxSmall) return Allocate(size, out address);
        address = 0;
        if (size == 0 || size > (ulong)Layout.MaxSegmentSize) return RumError.InvalidArgument;
        long pages = Layout.PagesFor((long)size);
        RumError error = AllocateRun(pages, 1, out address, out zero);
        if (error != RumError.None || zero) return error;
        _space.Discard(address, pages << Layout.PageShift);
        zero = true;
        return RumError.None;
    }

    /// <summary>Bytes that the program may use of an object in use; BadPointer for other addresses.</summary>
    public RumError UsableSize(nint address, out nuint bytes)
    {
        bytes = 0;
        if (!Owns(address)) return RumError.BadPointer;
        HeapSpan* span = FindSlab(address, out uint index);
        if (span != null && index < span->Count && span->States[index] == ObjectState.Used) bytes = span->ObjectSize;
        else if (span == null && _pages.TryGetRun(address, out long pages)) bytes = (nuint)(pages << Layout.PageShift);
        return bytes > 0 ? RumError.None : RumError.BadPointer;
    }

    /// <summary>
    /// Makes an object at least <paramref name="size"/> bytes where it stands, giving back what is cut off. False: it can't be, or shouldn't because a smaller
    /// object elsewhere would do; allocate, copy and free then.
    /// </summary>
    public bool TryResize(nint address, nuint size)
    {
        if (size == 0 || size > (ulong)Layout.MaxSegmentSize || !Owns(address)) return false;
        HeapSpan* span = FindSlab(address, out _);
        if (span != null) return size <= SizeClasses.MaxSmall && SizeClasses.Of(size) == span->SizeClass;
        if (size <= SizeClasses.MaxSmall || !_pages.TryGetRun(address, out long before)) return false;
        long pages = Layout.PagesFor((long)size);
        if (!_pages.TryResize(address, pages)) return false;
        Interlocked.Add(ref _runPages, pages - before);
        if (pages < before) _pages.Trim(all: false);
        return true;
    }

    /// <summary>The slab of an address and the object's index; null where there is none, index beyond all where it points inside an object.</summary>
    private HeapSpan* FindSlab(nint address, out uint index)
    {
        index = uint.MaxValue;
        SpanTable table = _pages.Table;
        HeapSpan* span = table.Spans + Volatile.Read(ref table.Map[table.PageOf(address)]);
        if (span->Kind != SpanKind.Slab) return null;
        uint within = (uint)(address - span->Start);
        uint candidate = (uint)((within * span->Magic) >> 40);
        if (candidate * span->ObjectSize == within) index = candidate;
        return span;
    }

    /// <summary>Ends the heap's books; its space is the caller's business. No other call may be under way.</summary>
    public void Dispose()
    {
        lock (Heaps) Heaps.Remove(this);
        lock (Caches)
        {
            foreach (nint cache in Caches) Unbind((ThreadCache*)cache, _id);
        }
        _pages.Dispose();
    }
}
