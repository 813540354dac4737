using System.Runtime.CompilerServices;
using Rum.Core;

namespace Rum.Pager.Heap;

// The caches of all threads. A thread's end can't be hooked safely from compiled managed code (its runtime state may be gone before the hook runs),
// so caches are taken back by whoever looks after their owners next: a new thread, upkeep, an allocation that found no room.
public sealed unsafe partial class RemoteHeap
{
    /// <summary>Every cache ever made, as ThreadCache pointers. Its lock is taken before those of classes.</summary>
    private static readonly List<nint> Caches = [];

    /// <summary>The heaps that exist; more than one only in tests. Its lock is taken alone.</summary>
    private static readonly List<RemoteHeap> Heaps = [];

    private readonly long[] _allocatedBefore = new long[SizeClasses.Count];
    private readonly long[] _freedBefore = new long[SizeClasses.Count];

    /// <summary>The calling thread's block of cache and last error, which the library's C part shares; made at the first call.</summary>
    internal static nint ThreadBlock()
    {
        if (t_cache == null)
        {
            lock (Caches) t_cache = TakeCache();
        }
        return (nint)t_cache;
    }

    /// <summary>Keeps the calling thread's last error.</summary>
    internal static void SetThreadError(RumError error, ReadOnlySpan<char> words) => ThreadCache.SetError((ThreadCache*)ThreadBlock(), error, words);

    /// <summary>What Native/shared.h must agree with, in the order of rum_init's table.</summary>
    internal static ReadOnlySpan<long> SharedLayout
    {
        get
        {
            ThreadCache thread;
            ClassCache classes;
            HeapSpan span;
            return new long[]
            {
                sizeof(ThreadCache) + (SizeClasses.Count * sizeof(ClassCache)),
                thread.Message - (byte*)&thread,
                sizeof(ThreadCache),
                sizeof(ClassCache),
                (byte*)&classes.Freed - (byte*)&classes,
                sizeof(HeapSpan),
                (byte*)&span.Kind - (byte*)&span,
                SizeClasses.Count,
                SizeClasses.MaxSmall,
            };
        }
    }

    /// <summary>Gives half of the calling thread's objects of a class back, when its cache is full.</summary>
    internal void ReturnHalf(int sizeClass)
    {
        ClassCache* of = ThreadCache.Classes(t_cache) + sizeClass;
        if (t_cache->HeapId == _id && of->Count == of->Capacity) ReturnHalf(of, sizeClass);
    }

    /// <summary>The calling thread's cache, bound to this heap.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private ThreadCache* Bind()
    {
        ThreadCache* cache = t_cache;
        if (cache != null && cache->HeapId == _id) return cache;
        lock (Caches)
        {
            if (cache == null) cache = TakeCache();
            else Retire(cache);
            cache->Base = _base;
            cache->Reserved = _reserved;
            cache->Map = _pages.Table.Map;
            cache->Spans = _pages.Table.Spans;
            cache->HeapId = _id;
        }
        t_cache = cache;
        return cache;
    }

    /// <summary>A cache without an owner, or a new one.</summary>
    private static ThreadCache* TakeCache()
    {
        int self = ThreadIds.Current;
        ThreadCache* free = null;
        foreach (nint each in Caches)
        {
            var cache = (ThreadCache*)each;
            // One with this thread's number belonged to a thread that ended: numbers are unique among the living.
            bool orphan = cache->ThreadId == 0 || cache->ThreadId == self || !ThreadIds.Exists(cache->ThreadId);
            if (!orphan) continue;
            Retire(cache);
            free = cache;
        }
        if (free == null)
        {
            free = ThreadCache.Create();
            Caches.Add((nint)free);
        }
        free->ThreadId = self;
        return free;
    }

    private void ReapCaches()
    {
        lock (Caches)
        {
            foreach (nint each in Caches)
            {
                var cache = (ThreadCache*)each;
                if (cache->HeapId != _id || cache->ThreadId == 0 || ThreadIds.Exists(cache->ThreadId)) continue;
                Retire(cache);
                cache->ThreadId = 0;
            }
        }
    }

    /// <summary>Gives a cache's objects back to the heap that it is bound to, if that still exists, and unbinds it. Under the lock of Caches.</summary>
    private static void Retire(ThreadCache* cache)
    {
        ulong id = cache->HeapId;
        if (id == 0)
        {
            // Never bound, or its heap was revoked: what it still lists is gone.
            Clear(cache);
            return;
        }
        RemoteHeap? owner = null;
        lock (Heaps)
        {
            foreach (RemoteHeap heap in Heaps)
            {
                if (heap._id == id) owner = heap;
            }
        }
        for (int i = 0; i < SizeClasses.Count && owner != null; i++)
        {
            ClassCache* of = ThreadCache.Classes(cache) + i;
            owner._allocatedBefore[i] += of->Allocated;
            owner._freedBefore[i] += of->Freed;
            if (of->Count > 0) owner._classes[i].Return(of, of->Count);
        }
        Unbind(cache, id);
    }

    private static void Unbind(ThreadCache* cache, ulong heap)
    {
        if (cache->HeapId != heap) return;
        cache->HeapId = 0;
        Clear(cache);
    }

    private static void Clear(ThreadCache* cache)
    {
        for (int i = 0; i < SizeClasses.Count; i++)
        {
            ClassCache* of = ThreadCache.Classes(cache) + i;
            of->Count = 0;
            of->Batch = ClassCache.FirstBatch;
            of->Allocated = 0;
            of->Freed = 0;
        }
    }

    private void DescribeCaches(HeapStatistics statistics)
    {
        lock (Caches)
        {
            for (int i = 0; i < SizeClasses.Count; i++)
            {
                long allocated = _allocatedBefore[i];
                long freed = _freedBefore[i];
                foreach (nint each in Caches)
                {
                    var cache = (ThreadCache*)each;
                    if (cache->HeapId != _id) continue;
                    allocated += ThreadCache.Classes(cache)[i].Allocated;
                    freed += ThreadCache.Classes(cache)[i].Freed;
                }
                statistics.Allocations += allocated;
                statistics.Frees += freed;
                statistics.LiveBytes += (allocated - freed) * SizeClasses.SizeOf(i);
            }
            statistics.LocalBytes += Caches.Count * 96L * 1024;
        }
    }
}
