using Rum.Core;
using Rum.FastPath.Client;
using Rum.Pager;

namespace Rum.Stress.Tests;

public sealed class LoadTests
{
    private const int Page = Layout.PageSize;

    [Fact]
    public void Sixteen_threads_fault_on_one_page_and_it_is_fetched_once()
    {
        using PagerFixture rum = new(PagerMode.Move);
        SegmentHandle segment = rum.Segment(64 * Page);
        nint first = rum.Map(64 * Page, segment: segment);
        Native.Store(first + 9 * Page, 77);
        Assert.Equal(RumError.None, rum.Pager.FlushAndDrop(0, 0));
        rum.Channel.Stalled = true;
        int right = 0;
        Thread[] threads = new Thread[16];
        for (int t = 0; t < threads.Length; t++)
        {
            threads[t] = new Thread(() =>
            {
                if (Native.Load(first + 9 * Page) == 77) Interlocked.Increment(ref right);
            });
            threads[t].Start();
        }

        Assert.True(SpinWait.SpinUntil(() => rum.Pager.Statistics.FaultsWaiting == 1, PagerFixture.PatienceMs), "no fault came");
        rum.Channel.Stalled = false;
        foreach (Thread thread in threads) Assert.True(thread.Join(PagerFixture.PatienceMs), "a thread was not woken");
        Assert.Equal(16, right);
        Assert.Equal(1, rum.Pager.Statistics.PagesFetched);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public void A_scan_takes_a_fault_per_window(int direction)
    {
        using PagerFixture rum = new(PagerMode.Move, 8 << 20);
        const int pages = 8192;
        nint at = rum.Map(pages * Page);
        for (int p = 0; p < pages; p++) Native.Store(at + p * Page, (ulong)p + 1);
        Assert.Equal(RumError.None, rum.Pager.FlushAndDrop(0, 0));
        long before = rum.Pager.Statistics.Faults;
        for (int i = 0; i < pages; i++)
        {
            int p = direction > 0 ? i : pages - 1 - i;
            Assert.Equal((ulong)p + 1, Native.Load(at + p * Page));
        }

        long faults = rum.Pager.Statistics.Faults - before;
        Assert.True(faults < pages / 16, $"{faults} faults for {pages} pages");
    }

    [Fact]
    public void Faults_and_evictions_allocate_nothing()
    {
        using PagerFixture rum = new(PagerMode.Move);
        const int pages = 1024;
        nint at = rum.Map(pages * Page);
        Random random = new(3);
        for (int i = 0; i < 5000; i++) Native.Store(at + random.Next(pages) * Page, 1);
        long before = rum.Pager.Statistics.ManagedBytesAllocated;
        for (int i = 0; i < 20_000; i++) Native.Store(at + random.Next(pages) * Page, (ulong)i);
        PagerStatistics stats = rum.Pager.Statistics;
        Assert.True(stats.WriteBacks > 10_000, $"{stats.WriteBacks} write-backs");
        Assert.Equal(before, stats.ManagedBytesAllocated);
    }

    [Fact]
    public void A_sparse_segment_of_1_TiB_costs_only_what_is_touched()
    {
        using PagerFixture rum = new(PagerMode.Move);
        long bytes = 1L << 40;
        SegmentHandle segment = new(new SegmentId(100), 1, new ShardId(0), SegmentFlags.Sparse);
        rum.Store.Add(segment.Segment, bytes);
        nint at = rum.Map(bytes, segment: segment);
        for (int i = 0; i < 1000; i++) Native.Store(at + (nint)(bytes / 1000 * i & -8L), (ulong)i);
        for (int i = 0; i < 1000; i++) Assert.Equal((ulong)i, Native.Load(at + (nint)(bytes / 1000 * i & -8L)));
        Assert.Equal(RumError.None, rum.Pager.Flush(0, 0));
        Assert.Equal(RumError.None, rum.Pager.Discard(at, bytes));
        Assert.Equal(0u, Native.Load(at + (nint)(bytes / 1000 * 500 & -8L)));
        Assert.Equal(RumError.None, rum.Pager.Unmap(at, true));
    }

    [Fact]
    public void Prefetched_pages_arrive_without_faults()
    {
        using PagerFixture rum = new(PagerMode.Move);
        nint at = rum.Map(64 * Page);
        for (int p = 0; p < 64; p++) Native.Store(at + p * Page, 6);
        Assert.Equal(RumError.None, rum.Pager.FlushAndDrop(0, 0));
        Assert.Equal(RumError.None, rum.Pager.Prefetch(at, 64 * Page));
        Assert.Equal(RumError.None, rum.Pager.Flush(0, 0));
        Assert.True(rum.Pager.Statistics.PagesPrefetched >= 64, $"{rum.Pager.Statistics.PagesPrefetched} prefetched");
        long faults = rum.Pager.Statistics.Faults;
        for (int p = 0; p < 64; p++) Assert.Equal(6u, Native.Load(at + p * Page));
        Assert.Equal(faults, rum.Pager.Statistics.Faults);
    }
}
