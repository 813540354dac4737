using Rum.Core;
using Rum.FastPath.Direct;
using Rum.FastPath.Linux;
using Rum.FastPath.Server;

namespace Rum.Transport.Tests.Direct;

/// <summary>Everything that a silo may do, at every place of a direct read: what comes out was the page at some moment of the read, or nothing does.</summary>
public sealed unsafe class InterleavingTests
{
    private const byte Before = 0xA1, After = 0xB2, Foreign = 0xC3;
    private const int Page = 5;

    /// <summary>What a silo does, and whether the page is something else afterwards that a read under the first epoch may see: its fill, 0 for zeros; -1: nothing.</summary>
    private static readonly (string Name, Action<DirectPool> Do, int Then)[] Deeds =
    [
        ("overwrites it", static silo => Assert.Equal(PageStatus.Ok, silo.Write(1, Page, 2, After)), After),
        ("overwrites it and fills its frame again", static silo =>
        {
            Assert.Equal(PageStatus.Ok, silo.Write(1, Page, 2, After));
            Assert.Equal(PageStatus.Ok, silo.Write(1, Page + 1, 3, Foreign));
        }, After),
        ("trims it and fills its frame again", static silo =>
        {
            Assert.Equal(PageStatus.Ok, silo.Pool.Trim(new SegmentId(1), Page, 1, new PageVersion(1, 2), out _));
            Assert.Equal(PageStatus.Ok, silo.Write(1, Page + 1, 3, Foreign));
        }, 0),
        ("drops it and fills its frame again", static silo =>
        {
            silo.Pool.DropPages(new SegmentId(1), Page, 1);
            Assert.Equal(PageStatus.Ok, silo.Write(1, Page + 1, 3, Foreign));
        }, 0),
        ("drops the extent and uses table and frame again", static silo =>
        {
            silo.Pool.DropPages(new SegmentId(1), 0, Layout.PagesPerExtent);
            silo.Settle();
            Assert.Equal(PageStatus.Ok, silo.Write(2, Page, 1, Foreign));
        }, -1),
        ("drops the segment and uses table and frame again", static silo =>
        {
            silo.Pool.DropSegment(new SegmentId(1));
            silo.Settle();
            Assert.Equal(PageStatus.Ok, silo.Write(2, Page, 1, Foreign));
        }, -1),
        ("loses the extent", static silo =>
        {
            Assert.Equal(PageStatus.Ok, silo.Pool.Lose(new SegmentId(1), Page, new PageVersion(1, 9), 0, out _));
            silo.Settle();
            // Refused, but it may make a table.
            Assert.Equal(PageStatus.Lost, silo.Write(1, Page, 10, Foreign));
        }, -1),
        ("gives the shard away", static silo =>
        {
            silo.SetView(2, false);
            silo.Pool.DropShard(new ShardId(0));
            silo.Settle();
        }, -1),
        ("learns the shard", static silo => silo.SetView(2, true, Rum.Core.Council.ReplicaState.Learning), -1),
        ("comes under another epoch and overwrites it", static silo =>
        {
            silo.SetView(2, true);
            Assert.Equal(PageStatus.Ok, silo.Write(1, Page, 2, After));
        }, -1),
        ("keeps a cut, drops the extent and writes it anew", static silo =>
        {
            silo.Pool.MarkCut(1);
            silo.Pool.DropPages(new SegmentId(1), 0, Layout.PagesPerExtent);
            Assert.Equal(PageStatus.Ok, silo.Write(1, Page, 2, After));
            silo.Pool.EndCut();
            silo.Settle();
            Assert.Equal(PageStatus.Ok, silo.Write(2, Page, 1, Foreign));
        }, After),
        ("ends", static silo => silo.Pool.Window!.Hide(), -1),
    ];

    private sealed class Actor(DirectPool silo, int place, Action<DirectPool> deed)
    {
        private bool _done;

        public void Look(int at)
        {
            if (at != place || _done) return;
            _done = true;
            deed(silo);
        }
    }

    private readonly struct At(Actor actor) : IBetweenLooks
    {
        public void Look(int place) => actor.Look(place);
    }

    [Fact]
    public void What_is_read_was_the_page_at_some_moment_of_the_read()
    {
        List<string> wrong = [];
        int read = Try(DirectDefect.None, wrong);
        Assert.True(wrong.Count == 0, string.Join("\n", wrong));
        // A reader that never dares would pass, too.
        Assert.True(read > 20, $"only {read} of the reads gave a page");
    }

    [Theory]
    [InlineData(DirectDefect.TrustsEntries)]
    [InlineData(DirectDefect.TrustsRecords)]
    [InlineData(DirectDefect.TrustsViews)]
    public void A_reader_that_leaves_out_a_look_is_caught(DirectDefect defect)
    {
        List<string> wrong = [];
        _ = Try(defect, wrong);
        Assert.NotEmpty(wrong);
    }

    [Fact]
    public void A_change_that_was_never_finished_is_seen()
    {
        using var silo = new DirectPool();
        Assert.Equal(PageStatus.Ok, silo.Write(1, Page, 1, Before));
        Assert.Equal((PageStatus.Ok, (int)Before), Read(silo, new Actor(silo, -1, static _ => { }), out _));
        Assert.Equal(PageStatus.Ok, silo.Pool.Locate(1, Page, out PageEntry* entry));
        entry->Word |= WindowLayout.Busy;
        Assert.Equal(PageStatus.NotReady, Read(silo, new Actor(silo, -1, static _ => { }), out _).Status);
    }

    [Fact]
    public void What_the_silo_does_not_answer_for_is_asked_for()
    {
        using var silo = new DirectPool();
        Assert.Equal(PageStatus.Ok, silo.Write(1, Page, 1, Before));
        byte* to = stackalloc byte[Layout.PageSize];
        PageStatus Status(ulong segment, ulong page, ushort shard, uint epoch, uint generation) =>
            silo.Reader.Read(segment, page, shard, epoch, generation, to, out _);
        uint generation = DirectPool.FrameGeneration;
        Assert.Equal(PageStatus.Ok, Status(1, Page, 0, 1, generation));
        Assert.Equal(PageStatus.Zero, Status(1, Page + 1, 0, 1, generation));
        Assert.Equal(PageStatus.NotReady, Status(2, Page, 0, 1, generation));
        Assert.Equal(PageStatus.NotReady, Status(1, Page + Layout.PagesPerExtent, 0, 1, generation));
        Assert.Equal(PageStatus.NotReady, Status(1, Page, 1, 1, generation));
        Assert.Equal(PageStatus.NotReady, Status(1, Page, 0, 2, generation));
        Assert.Equal(PageStatus.NotReady, Status(1, Page, 0, 1, generation + 1));
        silo.SetView(1, true, Rum.Core.Council.ReplicaState.Learning);
        Assert.Equal(PageStatus.NotReady, Status(1, Page, 0, 1, generation));
    }

    [Fact]
    public void Memory_that_falls_free_goes_back_to_the_kernel()
    {
        const int pages = 20_000;
        using var pool = new PagePool(new PagePoolOptions { CapacityBytes = 128 << 20, SegmentsMax = 16, ExtentsMax = 16, DirectReads = true });
        Assert.True(pool.Window is not null, pool.WhyNoWindow);
        byte* image = stackalloc byte[Layout.PageSize];
        new Span<byte>(image, Layout.PageSize).Fill(7);
        pool.Fence(new SegmentId(1), 1, false, out _);
        for (int page = 0; page < pages; page++) Assert.Equal(PageStatus.Ok, pool.Write(new SegmentId(1), page, new PageVersion(1, (ulong)page + 1), image, out _));
        long full = BytesHeld(pool.Window.ReadOnlyDescriptor);
        Assert.InRange(full, (long)pages * Layout.PageSize, 132L << 20);
        pool.DropSegment(new SegmentId(1));
        while (pool.DoChores())
        {
        }
        Assert.InRange(BytesHeld(pool.Window.ReadOnlyDescriptor), 0, full / 2);
    }

    private static long BytesHeld(int file)
    {
        const int SeekData = 3, SeekHole = 4;
        long held = 0;
        for (long at = 0; (at = Descriptors.lseek(file, at, SeekData)) >= 0;)
        {
            long end = Descriptors.lseek(file, at, SeekHole);
            held += end - at;
            at = end;
        }
        return held;
    }

    private static int Try(DirectDefect defect, List<string> wrong)
    {
        int read = 0;
        foreach ((string name, Action<DirectPool> deed, int then) in Deeds)
        {
            for (int place = 0; place < IBetweenLooks.Places; place++)
            {
                using var silo = new DirectPool(defect);
                Assert.Equal(PageStatus.Ok, silo.Write(1, Page, 1, Before));
                (PageStatus status, int fill) = Read(silo, new Actor(silo, place, deed), out PageVersion version);
                if (status == PageStatus.NotReady) continue;
                read++;
                bool before = status == PageStatus.Ok && fill == Before && version == new PageVersion(1, 1);
                bool after = then == 0 ? status == PageStatus.Zero : then > 0 && status == PageStatus.Ok && fill == then && version == new PageVersion(1, 2);
                if (!before && !after) wrong.Add($"The silo {name} at place {place}: read {status}, bytes {fill:x}, version {version}");
            }
        }
        return read;
    }

    /// <summary>The byte that the page is filled with, -1 if they aren't all the same.</summary>
    private static (PageStatus Status, int Fill) Read(DirectPool silo, Actor actor, out PageVersion version)
    {
        byte* to = stackalloc byte[Layout.PageSize];
        PageStatus status = silo.Reader.Read(1, Page, 0, 1, DirectPool.FrameGeneration, to, out version, new At(actor));
        var bytes = new ReadOnlySpan<byte>(to, Layout.PageSize);
        return (status, status != PageStatus.Ok ? 0 : bytes.IndexOfAnyExcept(bytes[0]) < 0 ? bytes[0] : -1);
    }
}
