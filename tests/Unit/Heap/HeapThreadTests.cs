using System.Collections.Concurrent;
using Rum.Core;
using Rum.Pager.Heap;

namespace Rum.Unit.Heap;

public sealed class HeapThreadTests
{
    [Fact]
    public void A_thread_that_ends_gives_its_cache_back()
    {
        var space = new FakeSpace();
        using var heap = new RemoteHeap(space);
        OnThreads(1, _ =>
        {
            var mine = new nint[1000];
            for (int i = 0; i < mine.Length; i++) Assert.Equal(RumError.None, heap.Allocate(64, out mine[i]));
            foreach (nint address in mine) Assert.Equal(RumError.None, heap.Free(address));
        });
        // The kernel may list a thread for a moment after it was joined.
        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                heap.Maintain(all: true);
                return heap.Statistics.SlabBytes == 0;
            },
            60_000), "the objects in the cache of the ended thread didn't come back");
        Assert.Equal(1000, heap.Statistics.Allocations);
        Assert.Equal(0, heap.Statistics.LiveObjects);
    }

    [Fact]
    public void Threads_that_free_what_others_allocated_lose_and_double_nothing()
    {
        const int Threads = 6;
        const int Steps = 40_000;
        var space = new FakeSpace();
        using var heap = new RemoteHeap(space);
        var owners = new ConcurrentDictionary<nint, int>();
        var passed = new ConcurrentQueue<nint>();
        OnThreads(Threads, thread =>
        {
            var random = new Random(thread);
            for (int i = 0; i < Steps; i++)
            {
                if (random.Next(2) == 0 && passed.TryDequeue(out nint other))
                {
                    Assert.True(owners.TryRemove(other, out _));
                    Assert.Equal(RumError.None, heap.Free(other));
                }
                else
                {
                    nuint size = random.Next(50) == 0 ? (nuint)random.Next(32 << 10, 200_000) : (nuint)random.Next(1, 500);
                    Assert.Equal(RumError.None, heap.Allocate(size, out nint address));
                    Assert.True(owners.TryAdd(address, thread), $"{address:x} was handed out twice");
                    passed.Enqueue(address);
                }
            }
        });
        Assert.Equal(owners.Count, heap.Statistics.LiveObjects);
        while (passed.TryDequeue(out nint rest)) Assert.Equal(RumError.None, heap.Free(rest));
        Assert.Equal(0, heap.Statistics.LiveObjects);
        Assert.Equal(0, heap.Statistics.LiveBytes);
        Assert.Equal(0, heap.Statistics.BadPointers);
    }

    [Fact]
    public void Of_two_threads_that_free_the_same_object_one_is_told()
    {
        using var heap = new RemoteHeap(new FakeSpace());
        const int Rounds = 20_000;
        var objects = new nint[Rounds];
        for (int i = 0; i < Rounds; i++) Assert.Equal(RumError.None, heap.Allocate(48, out objects[i]));
        int done = 0;
        OnThreads(2, _ =>
        {
            foreach (nint address in objects)
            {
                if (heap.Free(address) == RumError.None) Interlocked.Increment(ref done);
            }
        });
        Assert.Equal(Rounds, done);
        Assert.Equal(Rounds, heap.Statistics.BadPointers);
    }

    private static void OnThreads(int count, Action<int> work)
    {
        var failures = new ConcurrentQueue<Exception>();
        var threads = new Thread[count];
        for (int i = 0; i < count; i++)
        {
            int number = i;
            threads[i] = new Thread(() =>
            {
                try { work(number); }
                catch (Exception failure) { failures.Enqueue(failure); }
            });
            threads[i].Start();
        }
        foreach (Thread thread in threads) thread.Join();
        Assert.True(failures.IsEmpty, failures.TryPeek(out Exception? first) ? first.ToString() : "");
    }
}
