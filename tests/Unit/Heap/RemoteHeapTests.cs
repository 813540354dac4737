using Rum.Core;
using Rum.Pager.Heap;

namespace Rum.Unit.Heap;

public sealed class RemoteHeapTests
{
    [Fact]
    public void A_million_small_objects_cost_little_more_than_their_bytes()
    {
        const int Count = 1_000_000;
        var space = new FakeSpace();
        using var heap = new RemoteHeap(space);
        for (int i = 0; i < Count; i++) Assert.Equal(RumError.None, heap.Allocate(64, out _));
        HeapStatistics statistics = heap.Statistics;
        Assert.Equal(Count, statistics.LiveObjects);
        Assert.Equal(Count * 64L, statistics.LiveBytes);
        Assert.InRange(statistics.SlabBytes, Count * 64L, (long)(Count * 64L * 1.02));
        Assert.InRange(statistics.ChargedBytes, Count * 64L, (long)(Count * 64L * 1.35));
        Assert.True(statistics.LocalBytes < Count * 64L / 20, $"{statistics.LocalBytes} local bytes");
    }

    [Fact]
    public void Sizes_that_make_no_sense_are_refused()
    {
        using var heap = new RemoteHeap(new FakeSpace());
        Assert.Equal(RumError.InvalidArgument, heap.Allocate(0, out _));
        Assert.Equal(RumError.InvalidArgument, heap.Allocate(nuint.MaxValue, out _));
        Assert.Equal(RumError.InvalidArgument, heap.AllocateAligned(64, 48, out _));
        Assert.Equal(RumError.InvalidArgument, heap.AllocateZeroed(0, out _, out _));
    }

    [Fact]
    public void Wrong_pointers_are_refused_and_change_nothing()
    {
        var space = new FakeSpace();
        using var heap = new RemoteHeap(space);
        Assert.Equal(RumError.None, heap.Allocate(100, out nint small));
        Assert.Equal(RumError.None, heap.Allocate(1 << 20, out nint large));
        nint[] wrong =
        [
            0, 1, -1, space.BaseAddress - 16, space.BaseAddress + (nint)space.ReservedBytes, space.BaseAddress + (nint)space.ReservedBytes - 4096,
            small + 1, small + 16, small + 112, large + 4096, large + 1, large + (1 << 20),
        ];
        foreach (nint address in wrong) Assert.Equal(RumError.BadPointer, heap.Free(address));
        Assert.Equal(RumError.None, heap.Free(small));
        Assert.Equal(RumError.None, heap.Free(large));
        Assert.Equal(RumError.BadPointer, heap.Free(small));
        Assert.Equal(RumError.BadPointer, heap.Free(large));
        Assert.Equal(wrong.Length + 2, heap.Statistics.BadPointers);
        Assert.Equal(0, heap.Statistics.LiveObjects);
    }

    [Fact]
    public void Freed_extents_go_back_and_are_charged_again_when_needed()
    {
        var space = new FakeSpace();
        using var heap = new RemoteHeap(space);
        var runs = new List<nint>();
        for (int i = 0; i < 8 * 64; i++)
        {
            Assert.Equal(RumError.None, heap.Allocate(1 << 20, out nint run));
            runs.Add(run);
        }
        foreach (nint run in runs) Assert.Equal(RumError.None, heap.Free(run));
        heap.Maintain(all: true);
        Assert.True(space.Releases > 0, "nothing was given back");
        Assert.InRange(space.ChargedBytes, 0, 2 * Layout.ExtentSize);
        Assert.True(space.DiscardedBytes >= 8 * Layout.ExtentSize, "freed pages would be written back");

        long end = space.EndBytes;
        for (int i = 0; i < 4; i++) Assert.Equal(RumError.None, heap.Allocate((nuint)Layout.ExtentSize, out _));
        Assert.True(space.Charges > 0 && space.EndBytes == end, "the heap grew instead of charging what it had given back");
    }

    [Fact]
    public void An_exhausted_heap_serves_again_after_a_free()
    {
        var space = new FakeSpace { LimitBytes = 64L << 20 };
        using var heap = new RemoteHeap(space);
        var runs = new Stack<nint>();
        RumError error;
        while ((error = heap.Allocate(1 << 20, out nint run)) == RumError.None) runs.Push(run);
        Assert.Equal(RumError.OutOfMemory, error);
        Assert.Equal(64, runs.Count);
        Assert.Equal(RumError.OutOfMemory, heap.Allocate(64, out _));
        Assert.Equal(RumError.None, heap.Free(runs.Pop()));
        Assert.Equal(RumError.None, heap.Allocate(64, out _));
        Assert.Equal(RumError.OutOfMemory, heap.Allocate(1 << 20, out _));
    }

    [Fact]
    public void Neighbours_coalesce_into_one_run()
    {
        var space = new FakeSpace { LimitBytes = 32L << 20 };
        using var heap = new RemoteHeap(space);
        var runs = new List<nint>();
        while (heap.Allocate(1 << 20, out nint run) == RumError.None) runs.Add(run);
        for (int i = 0; i < runs.Count; i += 2) Assert.Equal(RumError.None, heap.Free(runs[i]));
        Assert.Equal(RumError.OutOfMemory, heap.Allocate(2 << 20, out _));
        for (int i = 1; i < runs.Count; i += 2) Assert.Equal(RumError.None, heap.Free(runs[i]));
        Assert.Equal(RumError.None, heap.Allocate(32 << 20, out _));
    }

    [Fact]
    public void Zeros_are_promised_only_of_pages_that_hold_none_of_the_past()
    {
        var space = new FakeSpace();
        using var heap = new RemoteHeap(space);
        Assert.Equal(RumError.None, heap.AllocateZeroed(1 << 20, out nint fresh, out bool zero));
        Assert.True(zero);
        Assert.Equal(RumError.None, heap.Free(fresh));
        long before = space.DiscardedBytes;
        Assert.Equal(RumError.None, heap.AllocateZeroed(1 << 20, out nint again, out zero));
        Assert.True(zero && (again != fresh || space.DiscardedBytes - before >= 1 << 20), "old bytes were promised to be zeros");
        Assert.Equal(RumError.None, heap.AllocateZeroed(64, out _, out zero));
        Assert.False(zero);
    }

    [Fact]
    public void A_revoked_heap_refuses_also_what_it_has_at_hand()
    {
        using var heap = new RemoteHeap(new FakeSpace());
        Assert.Equal(RumError.None, heap.Allocate(64, out nint small));
        Assert.Equal(RumError.None, heap.Allocate(1 << 20, out nint large));
        heap.Revoke(RumError.SessionExpired);
        Assert.Equal(RumError.SessionExpired, heap.Allocate(64, out _));
        Assert.Equal(RumError.SessionExpired, heap.Allocate(1 << 20, out _));
        Assert.Equal(RumError.SessionExpired, heap.Free(small));
        Assert.Equal(RumError.SessionExpired, heap.Free(large));

        // The next session's heap starts with nothing of the old one at hand.
        using var next = new RemoteHeap(new FakeSpace());
        Assert.Equal(RumError.None, next.Allocate(64, out nint fresh));
        Assert.Equal(RumError.None, next.UsableSize(fresh, out _));
        Assert.Equal(1, next.Statistics.LiveObjects);
    }

    [Fact]
    public void Slabs_end_page_by_page()
    {
        var space = new FakeSpace();
        using var heap = new RemoteHeap(space);
        var objects = new nint[200_000];
        for (int i = 0; i < objects.Length; i++) Assert.Equal(RumError.None, heap.Allocate(64, out objects[i]));
        // One object of each slab stays: the slabs can't end, but all of their other pages hold nothing.
        int kept = 0;
        for (int i = 0; i < objects.Length; i++)
        {
            if (i % 512 == 0) kept++;
            else Assert.Equal(RumError.None, heap.Free(objects[i]));
        }
        heap.Maintain(all: true);
        long pages = objects.Length * 64L;
        Assert.InRange(space.DiscardedBytes, pages - (kept + 64) * 2L * Layout.PageSize, long.MaxValue);
        Assert.Equal(kept, heap.Statistics.LiveObjects);
    }
}
