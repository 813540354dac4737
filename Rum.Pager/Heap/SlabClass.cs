using System.Numerics;
using System.Threading;
using Rum.Core;

namespace Rum.Pager.Heap;

/// <summary>
/// The slabs of one size class. Threads take and return objects in batches under its lock. Objects are taken lowest first, so that the upper pages of a slab
/// fall idle and can be discarded.
/// </summary>
internal sealed unsafe class SlabClass(int sizeClass, PageRuns pages)
{
    /// <summary>Wholly free slabs kept, so that a program which frees and allocates at the edge of a slab doesn't make and end it each time.</summary>
    private const int EmptySlabsKept = 1;

    private readonly Lock _lock = new();
    private readonly SpanTable _table = pages.Table;
    private uint _withFree;
    private int _empty;
    private long _slabs;
    private long _idlePages;

    /// <summary>Pages without objects that may hold old bytes, about: read without the lock.</summary>
    public long IdlePages => Volatile.Read(ref _idlePages);

    /// <summary>Slabs now.</summary>
    public long Slabs => Volatile.Read(ref _slabs);

    /// <summary>Moves up to <paramref name="want"/> objects into a cache's stack. None moved: the error.</summary>
    public RumError Refill(ClassCache* cache, int want)
    {
        lock (_lock)
        {
            int before = cache->Count;
            while (want > 0)
            {
                uint id = _withFree;
                if (id == 0)
                {
                    // Some are better than waiting for more room.
                    if (cache->Count > before) return RumError.None;
                    RumError error = pages.TakeSlab(sizeClass, out id);
                    if (error != RumError.None) return error;
                    _slabs++;
                    _empty++;
                    _idlePages += BitOperations.PopCount(_table.Spans[id].IdlePages);
                    List(id);
                }
                want -= TakeFrom(id, cache, want);
            }
            return RumError.None;
        }
    }

    /// <summary>Takes back the lowest <paramref name="count"/> objects of a cache's stack.</summary>
    public void Return(ClassCache* cache, int count)
    {
        lock (_lock)
        {
            for (int i = 0; i < count; i++) ReturnOne(cache->Entries[i]);
        }
        int rest = cache->Count - count;
        new Span<CachedObject>(cache->Entries + count, rest).CopyTo(new Span<CachedObject>(cache->Entries, rest));
        cache->Count = rest;
    }

    private int TakeFrom(uint id, ClassCache* cache, int want)
    {
        HeapSpan* slab = _table.Spans + id;
        if (slab->FreeCount == slab->Count) _empty--;
        int taken = 0;
        uint index = slab->Hint;
        while (taken < want && slab->FreeCount > 0)
        {
            int ahead = new ReadOnlySpan<byte>(slab->States + index, (int)(slab->Count - index)).IndexOf(ObjectState.Free);
            Invariant.Check(ahead >= 0);
            index += (uint)ahead;
            slab->States[index] = ObjectState.Cached;
            slab->FreeCount--;
            cache->Entries[cache->Count++] = new CachedObject
            {
                Address = slab->Start + (nint)(index * slab->ObjectSize),
                State = slab->States + index,
            };
            if (slab->IdlePages != 0) ClearIdle(slab, index);
            taken++;
            index++;
        }
        slab->Hint = index;
        if (slab->FreeCount == 0) Unlist(id);
        return taken;
    }

    private void ReturnOne(in CachedObject freed)
    {
        uint id = _table.Map[_table.PageOf(freed.Address)];
        HeapSpan* slab = _table.Spans + id;
        uint index = (uint)(freed.State - slab->States);
        Invariant.Check(index < slab->Count && *freed.State == ObjectState.Cached);
        *freed.State = ObjectState.Free;
        slab->FreeCount++;
        if (index < slab->Hint) slab->Hint = index;
        if (!slab->Listed) List(id);
        MarkIdle(slab, index);
        if (slab->FreeCount != slab->Count) return;
        if (_empty >= EmptySlabsKept) End(id);
        else _empty++;
    }

    private void End(uint id)
    {
        Unlist(id);
        _slabs--;
        _idlePages -= BitOperations.PopCount(_table.Spans[id].IdlePages);
        pages.ReturnSlab(id);
    }

    private void ClearIdle(HeapSpan* slab, uint index)
    {
        ulong used = slab->IdlePages & PagesOfObject(slab, index);
        slab->IdlePages &= ~used;
        _idlePages -= BitOperations.PopCount(used);
    }

    private void MarkIdle(HeapSpan* slab, uint index)
    {
        ulong candidates = PagesOfObject(slab, index) & ~slab->IdlePages;
        while (candidates != 0)
        {
            int page = BitOperations.TrailingZeroCount(candidates);
            candidates &= candidates - 1;
            if (new ReadOnlySpan<byte>(slab->States + FirstOn(slab, page), ObjectsOn(slab, page)).ContainsAnyExcept(ObjectState.Free)) continue;
            slab->IdlePages |= 1UL << page;
            _idlePages++;
        }
    }

    private static ulong PagesOfObject(HeapSpan* slab, uint index)
    {
        int first = (int)(index * slab->ObjectSize >> Layout.PageShift);
        int last = (int)(((index + 1) * slab->ObjectSize - 1) >> Layout.PageShift);
        return (ulong.MaxValue << first) & (ulong.MaxValue >> (63 - last));
    }

    private static int FirstOn(HeapSpan* slab, int page) => (int)((uint)(page << Layout.PageShift) / slab->ObjectSize);

    private static int ObjectsOn(HeapSpan* slab, int page)
    {
        uint last = ((uint)(page + 1) << Layout.PageShift) - 1;
        uint end = Math.Min(last / slab->ObjectSize + 1, slab->Count);
        return Math.Max(0, (int)end - FirstOn(slab, page));
    }

    /// <summary>
    /// Discards idle pages and, with <paramref name="all"/>, ends the empty slabs kept. <paramref name="discard"/> is called without the lock while
    /// the objects on those pages are withheld.
    /// </summary>
    public long DiscardIdle(IHeapSpace space, bool all)
    {
        long discarded = 0;
        while (TryWithholdIdle(out uint id, out ulong idle))
        {
            HeapSpan* slab = _table.Spans + id;
            ulong left = idle;
            while (left != 0)
            {
                int first = BitOperations.TrailingZeroCount(left);
                int count = BitOperations.TrailingZeroCount(~(left >> first));
                space.Discard(slab->Start + (nint)((long)first << Layout.PageShift), (long)count << Layout.PageShift);
                left &= count == 64 ? 0 : ~(((1UL << count) - 1) << first);
                discarded += count;
            }
            GiveFreed(id, idle);
        }
        if (all) EndEmpty();
        return discarded;
    }

    private bool TryWithholdIdle(out uint id, out ulong idle)
    {
        lock (_lock)
        {
            idle = 0;
            for (id = _withFree; id != 0; id = _table.Spans[id].Next)
            {
                HeapSpan* slab = _table.Spans + id;
                idle = slab->IdlePages;
                if (idle == 0) continue;
                // Each page holds a part of some object, so with objects withheld the slab can't become empty and end meanwhile.
                if (slab->FreeCount == slab->Count) _empty--;
                Withhold(slab, idle, ObjectState.Free, ObjectState.Withheld);
                slab->IdlePages = 0;
                _idlePages -= BitOperations.PopCount(idle);
                if (slab->FreeCount == 0) Unlist(id);
                return true;
            }
            return false;
        }
    }

    private void GiveFreed(uint id, ulong idle)
    {
        lock (_lock)
        {
            HeapSpan* slab = _table.Spans + id;
            Withhold(slab, idle, ObjectState.Withheld, ObjectState.Free);
            slab->Hint = 0;
            if (!slab->Listed && slab->FreeCount > 0) List(id);
            if (slab->FreeCount != slab->Count) return;
            if (_empty >= EmptySlabsKept) End(id);
            else _empty++;
        }
    }

    // Every object that reaches into an idle page is free, or idle it wouldn't be.
    private static void Withhold(HeapSpan* slab, ulong pageSet, byte from, byte to)
    {
        for (int page = 0; page < (int)slab->Pages; page++)
        {
            if ((pageSet >> page & 1) == 0) continue;
            int first = FirstOn(slab, page);
            int end = first + ObjectsOn(slab, page);
            for (int i = first; i < end; i++)
            {
                if (slab->States[i] != from) continue;
                slab->States[i] = to;
                if (to == ObjectState.Withheld) slab->FreeCount--;
                else slab->FreeCount++;
            }
        }
    }

    private void EndEmpty()
    {
        lock (_lock)
        {
            uint next;
            for (uint id = _withFree; id != 0; id = next)
            {
                next = _table.Spans[id].Next;
                if (_table.Spans[id].FreeCount != _table.Spans[id].Count) continue;
                _empty--;
                End(id);
            }
        }
    }

    private void List(uint id)
    {
        _table.Push(ref _withFree, id);
        _table.Spans[id].Listed = true;
    }

    private void Unlist(uint id)
    {
        _table.Remove(ref _withFree, id);
        _table.Spans[id].Listed = false;
    }
}
