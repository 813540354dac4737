using Rum.Core;
using Rum.FastPath.Client;
using Rum.Pager;

namespace Rum.Stress.Tests;

public sealed class PagingTests
{
    private const int Page = Layout.PageSize;

    public static TheoryData<PagerMode> Modes => [PagerMode.Move, PagerMode.Copy];

    [Theory]
    [MemberData(nameof(Modes))]
    public void A_program_works_on_four_times_its_cache(PagerMode mode)
    {
        using PagerFixture rum = new(mode);
        const int pages = 1024;
        nint at = rum.Map(pages * Page);
        for (int p = 0; p < pages; p++) Native.Store(at + p * Page, Tag(p, 0));
        for (int p = 0; p < pages; p++) Assert.Equal(Tag(p, 0), Native.Load(at + p * Page));
        Random random = new(7);
        int[] version = new int[pages];
        for (int i = 0; i < 4000; i++)
        {
            int p = random.Next(pages);
            Assert.Equal(Tag(p, version[p]), Native.Load(at + p * Page));
            if (random.Next(2) == 0) Native.Store(at + p * Page, Tag(p, ++version[p]));
        }

        PagerStatistics stats = rum.Pager.Statistics;
        Assert.True(stats.Evictions > pages - 256, $"{stats.Evictions} evictions");
        Assert.True(stats.ResidentBytes <= stats.CacheBytes);
        Assert.Empty(rum.Log);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public void A_page_read_first_and_written_later_keeps_the_write(PagerMode mode)
    {
        using PagerFixture rum = new(mode);
        SegmentHandle segment = rum.Segment(8 << 20);
        nint first = rum.Map(8 << 20, segment: segment);
        for (int p = 0; p < 2048; p++) Native.Store(first + p * Page + 8, Tag(p, 1));
        Assert.Equal(RumError.None, rum.Pager.FlushAndDrop(0, 0));
        Assert.Equal(Tag(5, 1), Native.Load(first + 5 * Page + 8));
        Native.Store(first + 5 * Page + 16, 99);
        for (int p = 100; p < 2048; p++) Assert.Equal(Tag(p, 1), Native.Load(first + p * Page + 8));
        Assert.Equal(99u, Native.Load(first + 5 * Page + 16));
        Assert.Equal(Tag(5, 1), Native.Load(first + 5 * Page + 8));
        Assert.Equal(RumError.None, rum.Pager.Unmap(first, true));
        nint again = rum.Map(8 << 20, fresh: false, segment: segment);
        Assert.NotEqual(first, again);
        Assert.Equal(99u, Native.Load(again + 5 * Page + 16));
        Assert.Equal(Tag(2047, 1), Native.Load(again + 2047 * Page + 8));
    }

    private static ulong Tag(int page, int version) => (ulong)page << 32 | (uint)version | 0x8000_0000_0000_0000;
}
