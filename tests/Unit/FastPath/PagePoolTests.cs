using Rum.Core;
using Rum.FastPath.Server;

namespace Rum.Unit.FastPath;

/// <summary>The same rules wherever the pages live.</summary>
public abstract unsafe class PagePoolRules(bool directReads)
{
    private PagePool Pool(long capacity = 16 << 20, int reserve = 64) =>
        new(new PagePoolOptions { CapacityBytes = capacity, ReserveFrames = reserve, SegmentsMax = 64, ExtentsMax = 512, DirectReads = directReads });

    private static PageStatus Write(PagePool pool, ulong segment, long page, ulong token, ulong sequence, byte fill, out PageVersion current)
    {
        byte* image = stackalloc byte[Layout.PageSize];
        new Span<byte>(image, Layout.PageSize).Fill(fill);
        return pool.Write(new SegmentId(segment), page, new PageVersion(token, sequence), fill == 0 ? null : image, out current);
    }

    private static int Fill(PagePool pool, ulong segment, long page)
    {
        if (pool.Read(new SegmentId(segment), page, out byte* image, out _) != PageStatus.Ok) return -1;
        return image == null ? 0 : image[0] == image[Layout.PageSize - 1] ? image[0] : -2;
    }

    private static void Settle(PagePool pool)
    {
        while (pool.DoChores())
        {
        }
    }

    [Fact]
    public void Only_a_newer_version_of_the_fenced_token_is_applied()
    {
        using PagePool pool = Pool();
        Assert.Equal(PageStatus.NotFenced, Write(pool, 1, 0, 5, 1, 1, out _));
        Assert.Equal(PageStatus.Ok, pool.Fence(new SegmentId(1), 5, false, out _));
        Assert.Equal(PageStatus.Ok, Write(pool, 1, 0, 5, 10, 1, out _));
        Assert.Equal(PageStatus.Superseded, Write(pool, 1, 0, 5, 9, 2, out PageVersion current));
        Assert.Equal(new PageVersion(5, 10), current);
        Assert.Equal(PageStatus.Ok, Write(pool, 1, 0, 5, 10, 3, out _));
        Assert.Equal(1, Fill(pool, 1, 0));
        Assert.Equal(PageStatus.NotFenced, Write(pool, 1, 0, 6, 1, 4, out _));
        Assert.Equal(PageStatus.Ok, pool.Fence(new SegmentId(1), 6, false, out _));
        Assert.Equal(PageStatus.Fenced, Write(pool, 1, 0, 5, 11, 5, out _));
        Assert.Equal(PageStatus.Fenced, pool.Fence(new SegmentId(1), 5, false, out ulong fence));
        Assert.Equal(6ul, fence);
        Assert.Equal(PageStatus.Ok, Write(pool, 1, 0, 6, 1, 6, out _));
        Assert.Equal(6, Fill(pool, 1, 0));
    }

    [Fact]
    public void What_was_stored_after_the_council_was_asked_outlives_its_answer()
    {
        using PagePool pool = Pool();
        var segment = new SegmentId(1);
        pool.Fence(segment, 5, false, out _);
        Write(pool, 1, 7, 5, 1, 1, out _);
        Write(pool, 1, 8, 5, 2, 2, out _);
        Write(pool, 1, Layout.PagesPerExtent, 5, 3, 3, out _);
        var stored = new StoredExtent[10];
        Assert.Equal(2, pool.ListExtents(stored));
        Assert.All(stored[..2], it => Assert.Equal((segment, new PageVersion(5, 3)), (it.Segment, it.Newest)));
        Write(pool, 1, 9, 5, 4, 4, out _);
        Assert.Equal(1, pool.DropOlder(segment, 8, Layout.PagesPerExtent - 8, stored[0].Newest));
        Assert.Equal((1, 0, 4, 3), (Fill(pool, 1, 7), Fill(pool, 1, 8), Fill(pool, 1, 9), Fill(pool, 1, Layout.PagesPerExtent)));
        // Not even a late duplicate brings it back.
        Write(pool, 1, 8, 5, 2, 2, out _);
        Assert.Equal(0, Fill(pool, 1, 8));
        Assert.Equal(0, pool.DropOlder(new SegmentId(2), 0, 10, stored[0].Newest));
        Settle(pool);
        Assert.Equal(3, pool.Statistics.PagesStored);
    }

    [Fact]
    public void A_late_duplicate_does_not_bring_back_what_was_trimmed_or_dropped()
    {
        using PagePool pool = Pool();
        var segment = new SegmentId(1);
        pool.Fence(segment, 5, false, out _);
        Write(pool, 1, 0, 5, 1, 1, out _);
        Assert.Equal(PageStatus.Ok, pool.Trim(segment, 0, 10, new PageVersion(5, 2), out _));
        Assert.Equal(PageStatus.Superseded, Write(pool, 1, 0, 5, 1, 1, out _));
        Assert.Equal(0, Fill(pool, 1, 0));
        Write(pool, 1, 0, 5, 3, 3, out _);
        Assert.Equal(PageStatus.Ok, pool.Trim(segment, 0, 10, new PageVersion(5, 2), out _));
        Assert.Equal(3, Fill(pool, 1, 0));
        pool.DropPages(segment, 0, Layout.PagesPerExtent);
        Assert.Equal(PageStatus.Superseded, Write(pool, 1, 0, 5, 3, 3, out _));
        Assert.Equal(PageStatus.Ok, Write(pool, 1, 0, 5, 4, 4, out _));
        pool.DropSegment(segment);
        Assert.Equal(PageStatus.Gone, pool.Fence(segment, 5, false, out _));
        Assert.Equal(PageStatus.Gone, Write(pool, 1, 0, 5, 5, 5, out _));
        Settle(pool);
        Assert.Equal(0, pool.Statistics.PagesStored);
        Assert.Equal(pool.Statistics.FramesTotal, pool.Statistics.FramesFree);
        Assert.Equal(0, pool.Statistics.TableBytes);
    }

    [Fact]
    public void Sparse_writes_may_be_refused_and_charged_ones_not()
    {
        using PagePool pool = Pool(capacity: 2 << 20, reserve: 8);
        pool.SparsePagesMax = 100;
        pool.Fence(new SegmentId(1), 5, sparse: true, out _);
        pool.Fence(new SegmentId(2), 5, sparse: false, out _);
        for (int i = 0; i < 100; i++) Assert.Equal(PageStatus.Ok, Write(pool, 1, i, 5, (ulong)i + 1, 1, out _));
        Assert.Equal(PageStatus.OutOfMemory, Write(pool, 1, 100, 5, 101, 1, out _));
        Assert.Equal(PageStatus.Ok, Write(pool, 1, 0, 5, 102, 2, out _));
        for (int i = 0; i < 412; i++) Assert.Equal(PageStatus.Ok, Write(pool, 2, i, 5, 200 + (ulong)i, 1, out _));
        for (int i = 0; i < 412; i++) Assert.Equal(PageStatus.Ok, Write(pool, 2, i, 5, 900 + (ulong)i, 2, out _));
        Assert.Equal(100, pool.Statistics.SparsePagesStored);
    }

    [Fact]
    public void A_sparse_tebibyte_costs_what_is_touched()
    {
        using var pool = new PagePool(new PagePoolOptions { CapacityBytes = 64 << 20, DirectReads = directReads });
        pool.Fence(new SegmentId(1), 5, sparse: true, out _);
        long pages = (1L << 40) / Layout.PageSize;
        ulong sequence = 0;
        for (long page = 0; page < pages; page += Layout.PagesPerExtent * 64) Assert.Equal(PageStatus.Ok, Write(pool, 1, page, 5, ++sequence, 7, out _));
        Assert.Equal(PageStatus.Ok, Write(pool, 1, pages - 1, 5, ++sequence, 9, out _));
        Assert.Equal(7, Fill(pool, 1, 0));
        Assert.Equal(0, Fill(pool, 1, 1));
        Assert.Equal(9, Fill(pool, 1, pages - 1));
        pool.DropPages(new SegmentId(1), 1, pages);
        Settle(pool);
        Assert.Equal(1, pool.Statistics.PagesStored);
    }

    [Fact]
    public void Memory_goes_back_when_much_is_free()
    {
        using PagePool pool = Pool(capacity: 256 << 20);
        pool.Fence(new SegmentId(1), 5, false, out _);
        for (int i = 0; i < 60_000; i++) Write(pool, 1, i, 5, (ulong)i + 1, 1, out _);
        long full = pool.Statistics.ResidentBytes;
        pool.DropSegment(new SegmentId(1));
        Settle(pool);
        Assert.InRange(full, 60_000L * Layout.PageSize, 256L << 20);
        Assert.InRange(pool.Statistics.ResidentBytes, 0, full / 4);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Like_a_naive_memory(int seed)
    {
        const int pages = 40;
        var random = new Random(seed);
        using PagePool pool = Pool(capacity: 4 << 20);
        var model = new Dictionary<(ulong, long), (byte Fill, ulong Sequence)>();
        for (ulong s = 1; s <= 3; s++) pool.Fence(new SegmentId(s), 1, s == 3, out _);
        for (int i = 0; i < 20_000; i++)
        {
            ulong segment = (ulong)random.Next(1, 4);
            long page = random.Next(pages / 2) + (random.Next(2) * (Layout.PagesPerExtent - (pages / 4)));
            (byte Fill, ulong Sequence) there = model.GetValueOrDefault((segment, page));
            switch (random.Next(12))
            {
                case < 6:
                    // Now and then an old version, to be refused.
                    ulong sequence = random.Next(5) == 0 ? (ulong)random.Next(1, i + 1) : (ulong)i + 1;
                    byte fill = (byte)random.Next(4);
                    PageStatus expected = sequence > there.Sequence ? PageStatus.Ok : sequence == there.Sequence ? PageStatus.Ok : PageStatus.Superseded;
                    if (there.Sequence == 0 && sequence != (ulong)i + 1) break;
                    Assert.Equal(expected, Write(pool, segment, page, 1, sequence, fill, out _));
                    if (sequence > there.Sequence) model[(segment, page)] = (fill, sequence);
                    break;
                case < 10:
                    Assert.Equal(there.Fill, Fill(pool, segment, page));
                    break;
                case 10:
                    int count = random.Next(1, (int)Math.Min(8, Layout.PagesPerExtent - (page % Layout.PagesPerExtent)) + 1);
                    Assert.Equal(PageStatus.Ok, pool.Trim(new SegmentId(segment), page, count, new PageVersion(1, (ulong)i + 1), out _));
                    for (int k = 0; k < count; k++)
                        if (model.ContainsKey((segment, page + k))) model[(segment, page + k)] = (0, (ulong)i + 1);
                    break;
                default:
                    pool.DropPages(new SegmentId(segment), page, 3);
                    for (int k = 0; k < 3; k++)
                        if (model.TryGetValue((segment, page + k), out (byte Fill, ulong Sequence) old)) model[(segment, page + k)] = (0, old.Sequence);
                    break;
            }
            if (i % 100 == 0) pool.DoChores();
        }
        Assert.Equal(model.Values.Count(v => v.Fill != 0), pool.Statistics.PagesStored);
        Assert.Equal(pool.Statistics.FramesTotal - pool.Statistics.PagesStored, pool.Statistics.FramesFree);
    }
}

public sealed class PagePoolTests() : PagePoolRules(false);

/// <summary>In memory that clients may map.</summary>
public sealed class SharedPagePoolTests() : PagePoolRules(true);
