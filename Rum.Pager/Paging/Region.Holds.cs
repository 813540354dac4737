using Rum.Core;

namespace Rum.Pager.Paging;

/// <summary>
/// The part of a region that application threads use beside the pager thread: users, who keep the tables and the mapping from going, and holds,
/// which keep single pages from being taken. Both are counters that the application raises before it looks, while the pager says what it
/// is about to do before it looks at them: of two who meet at least one sees the other.
/// </summary>
internal sealed unsafe partial class Region
{
    // leaving: first page << LeavingShift | count. A run never exceeds an extent, a segment never 2^32 pages.
    private const int LeavingShift = 24;
    private const long LeavingMask = (1L << LeavingShift) - 1;

    private readonly int* _holds;
    private int _users;
    private int _closing;
    private long _leaving;
    private int _everHeld;
    private int _pinnedHere;

    /// <summary>Pages that are pinned by <see cref="IResidentAccess.TryPin"/>, as often as they are.</summary>
    internal int TriedPins => Volatile.Read(ref _pinnedHere);

    internal void CountTriedPins(int change) => Interlocked.Add(ref _pinnedHere, change);

    /// <summary>Application: enters; false when the region is going. Pairs with <see cref="TryEndUsers"/>.</summary>
    internal bool TryUse()
    {
        Interlocked.Increment(ref _users);
        if (Volatile.Read(ref _closing) == 0) return true;
        EndUse();
        return false;
    }

    internal void EndUse() => Interlocked.Decrement(ref _users);

    /// <summary>Pager: lets nobody in any more and waits for those inside, who never block. False: one is still there after the bound.</summary>
    internal bool TryEndUsers(long boundNs)
    {
        Volatile.Write(ref _closing, 1);
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _users) == 0) return true;
        long start = Environment.TickCount64;
        while (Volatile.Read(ref _users) != 0)
        {
            if (Environment.TickCount64 - start > boundNs / 1_000_000) return false;
            Thread.Yield();
        }

        return true;
    }

    /// <summary>Application: holds a range when all of it is resident. Pairs with <see cref="Leave"/>.</summary>
    internal bool TryHold(long first, long end)
    {
        if (Volatile.Read(ref _everHeld) == 0) Interlocked.Exchange(ref _everHeld, 1);
        for (long page = first; page < end; page++)
        {
            // A full barrier: the hold is seen before the two reads. The mark is read before the word, since the pager clears it after the word changed.
            Interlocked.Increment(ref _holds[page]);
            long leaving = Volatile.Read(ref _leaving);
            long start = leaving >> LeavingShift;
            bool taken = page >= start && page - start < (leaving & LeavingMask);
            if (!taken && new PageWord(Volatile.Read(ref _words[page])).State == PageState.Present) continue;
            EndHold(first, page + 1);
            return false;
        }

        return true;
    }

    /// <summary>Pager: holds a range that is resident, on behalf of an application.</summary>
    internal void Hold(long first, long end)
    {
        Volatile.Write(ref _everHeld, 1);
        for (long page = first; page < end; page++) Interlocked.Increment(ref _holds[page]);
    }

    internal void EndHold(long first, long end)
    {
        for (long page = first; page < end; page++) Interlocked.Decrement(ref _holds[page]);
    }

    /// <summary>Pager: whether an application holds the page, as far as one can see without announcing anything.</summary>
    internal bool IsHeld(long page) => Volatile.Read(ref _everHeld) != 0 && Volatile.Read(ref _holds[page]) != 0;

    /// <summary>Pager: announces that it takes a run of pages; returns how many of its front nobody holds. <see cref="Left"/> follows.</summary>
    internal int Leave(long page, int count)
    {
        Volatile.Write(ref _leaving, page << LeavingShift | (long)count);
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _everHeld) == 0) return count;
        for (int i = 0; i < count; i++)
            if (Volatile.Read(ref _holds[page + i]) != 0) return i;
        return count;
    }

    /// <summary>Pager: the words say now where the pages are.</summary>
    internal void Left() => Volatile.Write(ref _leaving, 0);
}
