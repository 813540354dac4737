using System.Runtime.CompilerServices;
using System.Threading;
using Rum.Core;

namespace Rum.Pager.Heap;

// Everything off the fast path: page runs, refills, wrong pointers, upkeep, statistics.
public sealed unsafe partial class RemoteHeap
{
    private long _runPages;
    private long _runAllocations;
    private long _runFrees;
    private long _badPointers;
    private long _discardedIdle;
    private int _discarding;
    private volatile RumError _revoked;

    /// <summary>
    /// The space is gone: every allocation and free from now on ends with <paramref name="why"/>, also those that the books alone could serve. Any thread.
    /// </summary>
    public void Revoke(RumError why)
    {
        _revoked = why;
        // So that no thread takes the fast path any more. What is in the caches is lost with the space.
        lock (Caches)
        {
            foreach (nint each in Caches)
            {
                var cache = (ThreadCache*)each;
                if (cache->HeapId == _id) Volatile.Write(ref cache->HeapId, 0);
            }
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private RumError AllocateSlowly(nuint size, out nint address)
    {
        address = 0;
        if (size == 0 || size > (ulong)Layout.MaxSegmentSize) return RumError.InvalidArgument;
        if (_revoked != RumError.None) return _revoked;
        if (size > SizeClasses.MaxSmall) return AllocateRun(Layout.PagesFor((long)size), 1, out address, out _);

        ThreadCache* cache = Bind();
        int sizeClass = SizeClasses.Of(size);
        ClassCache* of = ThreadCache.Classes(cache) + sizeClass;
        if (of->Count == 0)
        {
            int batch = of->Batch;
            RumError error = _classes[sizeClass].Refill(of, batch);
            if (error == RumError.OutOfMemory)
            {
                // What threads that ended had, and what idles in slabs, may make room.
                Maintain(all: true);
                error = _classes[sizeClass].Refill(of, 1);
            }
            if (error != RumError.None) return error;
            of->Batch = Math.Min(batch * 2, of->Capacity / 2);
            Reverse(of);
        }
        CachedObject top = of->Entries[--of->Count];
        of->Allocated++;
        *top.State = ObjectState.Used;
        address = top.Address;
        return RumError.None;
    }

    /// <summary>So that the lowest address goes out first: neighbours in time become neighbours in memory.</summary>
    private static void Reverse(ClassCache* of) => new Span<CachedObject>(of->Entries, of->Count).Reverse();

    private RumError AllocateRun(long pages, long alignPages, out nint address, out bool zero)
    {
        (address, zero) = (0, false);
        if (_revoked != RumError.None) return _revoked;
        RumError error = _pages.TakeRun(pages, alignPages, out address, out zero);
        if (error == RumError.OutOfMemory)
        {
            Maintain(all: true);
            error = _pages.TakeRun(pages, alignPages, out address, out zero);
        }
        if (error != RumError.None) return error;
        Interlocked.Add(ref _runPages, pages);
        Interlocked.Increment(ref _runAllocations);
        return RumError.None;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private RumError FreeSlowly(nint address)
    {
        if (Owns(address))
        {
            if (_revoked != RumError.None) return _revoked;
            ThreadCache* cache = t_cache;
            if (cache == null || cache->HeapId != _id)
            {
                // A thread that never allocated here: give it a cache and take the fast path.
                Bind();
                return Free(address);
            }
            if (_pages.ReturnRun(address, out long pages) == RumError.None)
            {
                Interlocked.Add(ref _runPages, -pages);
                Interlocked.Increment(ref _runFrees);
                _pages.Trim(all: false);
                return RumError.None;
            }
        }
        Interlocked.Increment(ref _badPointers);
        return RumError.BadPointer;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void ReturnHalf(ClassCache* of, int sizeClass)
    {
        SlabClass slabs = _classes[sizeClass];
        slabs.Return(of, of->Capacity / 2);
        if (slabs.IdlePages > Math.Max(IdlePagesMin, slabs.Slabs * SizeClasses.SlabPages(sizeClass) / 8)) DiscardIdle(slabs, all: false);
        _pages.Trim(all: false);
    }

    /// <summary>Idle pages of a class that may keep old bytes (1 MiB), unless that is less than an eighth of its pages.</summary>
    private const int IdlePagesMin = 256;

    private void DiscardIdle(SlabClass slabs, bool all)
    {
        // One thread at a time is enough; the others go on.
        if (Interlocked.Exchange(ref _discarding, 1) != 0) return;
        Interlocked.Add(ref _discardedIdle, slabs.DiscardIdle(_space, all) << Layout.PageShift);
        Volatile.Write(ref _discarding, 0);
    }

    /// <summary>
    /// Upkeep: takes back the caches of threads that ended and, with <paramref name="all"/>, drops every free page and gives back every free extent that may go.
    /// To be called now and then, and with <paramref name="all"/> when the program has been quiet.
    /// </summary>
    public void Maintain(bool all)
    {
        if (_revoked != RumError.None) return;
        ReapCaches();
        if (all)
        {
            foreach (SlabClass slabs in _classes)
            {
                if (slabs.Slabs > 0) DiscardIdle(slabs, all: true);
            }
        }
        _pages.Trim(all);
    }

    /// <summary>Counters and gauges as of now.</summary>
    public HeapStatistics Statistics
    {
        get
        {
            var statistics = new HeapStatistics
            {
                Allocations = Volatile.Read(ref _runAllocations),
                Frees = Volatile.Read(ref _runFrees),
                LiveBytes = Volatile.Read(ref _runPages) << Layout.PageShift,
                DiscardedBytes = Volatile.Read(ref _discardedIdle),
                BadPointers = Volatile.Read(ref _badPointers),
            };
            for (int i = 0; i < _classes.Length; i++)
            {
                statistics.SlabBytes += _classes[i].Slabs * SizeClasses.SlabPages(i) << Layout.PageShift;
            }
            DescribeCaches(statistics);
            _pages.Describe(statistics);
            return statistics;
        }
    }
}
