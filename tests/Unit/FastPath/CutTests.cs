using Rum.Core;
using Rum.FastPath.Client;
using Rum.FastPath.Drivers;
using Rum.FastPath.Drivers.Simulated;
using Rum.FastPath.Frames;
using Rum.FastPath.Server;

namespace Rum.Unit.FastPath;

/// <summary>Cuts for snapshots: what a pool keeps, and that the cut of several silos is closed under the order in which things were flushed.</summary>
public sealed unsafe class CutTests
{
    private static PagePool Pool(long capacity = 16 << 20, ReplicaDefect defect = ReplicaDefect.None) =>
        new(new PagePoolOptions { CapacityBytes = capacity, ReserveFrames = 64, SegmentsMax = 64, ExtentsMax = 512, Defect = defect });

    private static PageStatus Write(PagePool pool, ulong segment, long page, ulong sequence, byte fill)
    {
        byte* image = stackalloc byte[Layout.PageSize];
        new Span<byte>(image, Layout.PageSize).Fill(fill);
        return pool.Write(new SegmentId(segment), page, new PageVersion(5, sequence), fill == 0 ? null : image, out _);
    }

    private static Dictionary<(ulong Segment, long Page), byte> Cut(PagePool pool, bool end = true)
    {
        var found = new Dictionary<(ulong, long), byte>();
        var extent = new CutExtent();
        byte[] image = new byte[Layout.PageSize];
        int cursor = 1;
        while (pool.NextOfCut(ref cursor, extent))
        {
            for (int i = 0; i < extent.Count; i++)
            {
                extent.CopyTo(i, image);
                Assert.Equal(-1, image.AsSpan().IndexOfAnyExcept(image[0]));
                Assert.True(found.TryAdd((extent.Segment, ((long)extent.Extent * Layout.PagesPerExtent) + extent.Pages[i]), image[0]));
            }
            if (extent.Segment != 0) pool.SavedExtent(extent);
        }
        if (end) pool.EndCut();
        return found;
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_cut_stays_as_it_was_whatever_is_done_after_it(int seed)
    {
        var random = new Random(seed);
        using PagePool pool = Pool();
        var now = new Dictionary<(ulong Segment, long Page), byte>();
        ulong sequence = 0;
        for (ulong segment = 1; segment <= 3; segment++) pool.Fence(new SegmentId(segment), 5, false, out _);
        for (int round = 0; round < 12; round++)
        {
            Change(300);
            Dictionary<(ulong, long), byte> marked = new(now.Where(static page => page.Value != 0));
            pool.MarkCut((ulong)round + 1);
            Change(300);
            Assert.Equal(marked.OrderBy(static page => page.Key), Cut(pool).OrderBy(static page => page.Key));
            while (pool.DoChores())
            {
            }
        }
        foreach (((ulong segment, long page), byte fill) in now)
        {
            pool.Read(new SegmentId(segment), page, out byte* image, out _);
            Assert.Equal(fill, image == null ? 0 : image[17]);
        }
        // Nothing leaks: when all is dropped all frames are free.
        for (ulong segment = 1; segment <= 3; segment++) pool.DropSegment(new SegmentId(segment));
        while (pool.DoChores())
        {
        }
        Assert.Equal(pool.Statistics.FramesTotal, pool.Statistics.FramesFree);

        void Change(int count)
        {
            for (int i = 0; i < count; i++)
            {
                ulong segment = (ulong)random.Next(1, 4);
                // On both sides of two extents' borders.
                long page = (Layout.PagesPerExtent * random.Next(1, 3)) - 20 + random.Next(40);
                switch (random.Next(40))
                {
                    case 0:
                        pool.DropPages(new SegmentId(segment), 0, Layout.PagesPerExtent);
                        foreach ((ulong, long) key in now.Keys.Where(key => key.Segment == segment && key.Page < Layout.PagesPerExtent).ToArray()) now.Remove(key);
                        break;
                    case 1:
                        int length = Math.Min(10, Layout.PagesPerExtent - (int)(page % Layout.PagesPerExtent));
                        pool.Trim(new SegmentId(segment), page, length, new PageVersion(5, ++sequence), out _);
                        for (int p = 0; p < length; p++) now.Remove((segment, page + p));
                        break;
                    default:
                        byte fill = (byte)random.Next(256);
                        if (Write(pool, segment, page, ++sequence, fill) == PageStatus.Ok) now[(segment, page)] = fill;
                        break;
                }
            }
        }
    }

    [Fact]
    public void Writes_come_before_a_cut_when_frames_are_short()
    {
        using PagePool pool = Pool(2 << 20);
        pool.Fence(new SegmentId(1), 5, false, out _);
        ulong sequence = 0;
        for (int page = 0; page < 512; page++) Assert.Equal(PageStatus.Ok, Write(pool, 1, page, ++sequence, 1));
        pool.MarkCut(1);
        for (int round = 0; round < 4; round++)
            for (int page = 0; page < 512; page++) Assert.Equal(PageStatus.Ok, Write(pool, 1, page, ++sequence, 2));
        Assert.True(pool.CutFailed);
    }

    [Fact]
    public void A_pool_that_keeps_nothing_is_caught()
    {
        using PagePool pool = Pool(defect: ReplicaDefect.CutKeepsNothing);
        pool.Fence(new SegmentId(1), 5, false, out _);
        Write(pool, 1, 3, 1, 7);
        pool.MarkCut(1);
        Write(pool, 1, 3, 2, 8);
        Assert.NotEqual(7, Cut(pool)[(1, 3)]);
    }

    [Fact]
    public void No_cut_holds_a_page_without_what_was_flushed_before_it()
    {
        int cuts = 0, voided = 0;
        for (ulong seed = 1; seed <= 300; seed++) Assert.True(Closed(seed, ReplicaDefect.None, ref cuts, ref voided), $"seed {seed}");
        Assert.True(cuts > 200, $"{cuts} cuts, {voided} void");
    }

    [Fact]
    public void Silos_that_mark_without_holding_are_caught()
    {
        int cuts = 0, voided = 0, seeds = 0;
        for (ulong seed = 1; seed <= 300; seed++)
            if (!Closed(seed, ReplicaDefect.CutWithoutHold, ref cuts, ref voided)) seeds++;
        Assert.True(seeds > 0, $"not caught in {cuts} cuts");
    }

    // A client writes a page at one silo, and when it is acknowledged one at the other, and so on; meanwhile cuts are made over a network that loses and delays.
    private static bool Closed(ulong seed, ReplicaDefect defect, ref int cuts, ref int voided)
    {
        var network = new SimulatedNetworkOptions { Link = new LinkSettings { Loss = seed % 3 == 0 ? 0.25 : 0.02, Duplication = 0.02, Reordering = 0.1 } };
        using var cluster = new Cluster(2, seed, network, server: new PageServerOptions { Defect = defect });
        SimulatedDriver leader = cluster.Network.CreateEndpoint();
        cluster.Step();
        // Shard 2 is at silo 0, shard 3 at silo 1.
        SegmentHandle[] segments = [Cluster.Handle(2, 5), Cluster.Handle(3, 6)];
        int stamp = 0, next = 0;
        bool writing = false;
        byte* image = stackalloc byte[Layout.PageSize];
        var random = new Random((int)seed);
        for (ulong cut = 1; cut <= 3; cut++)
        {
            long begin = cluster.Network.NowNs + random.Next(2_000_000);
            Run(() => cluster.Network.NowNs >= begin);
            if (!Steps(cut))
            {
                voided++;
                Take(CutStep.Void, cut, 20_000_000);
                continue;
            }
            cuts++;
            Run(() => false, 1_000_000);
            int first = StampOf(cluster.Servers[0], segments[0]), second = StampOf(cluster.Servers[1], segments[1]);
            if (second > first || first > second + 1) return false;
        }
        return true;

        bool Steps(ulong cut)
        {
            long end = cluster.Network.NowNs + 45_000_000;
            return Take(CutStep.Hold, cut, end - cluster.Network.NowNs) && Take(CutStep.Mark, cut, end - cluster.Network.NowNs) && Take(CutStep.Release, cut, end - cluster.Network.NowNs);
        }

        bool Take(CutStep step, ulong cut, long withinNs)
        {
            bool[] done = new bool[2];
            bool refused = false;
            long end = cluster.Network.NowNs + withinNs, resendAt = 0;
            var rx = new RxFrame[8];
            Run(() =>
            {
                int received = leader.Receive(rx);
                for (int i = 0; i < received; i++)
                {
                    var header = (FrameHeader*)rx[i].Header;
                    if (header->Type != FrameType.CutAnswer || header->Slot != (uint)step || header->Segment != cut) continue;
                    if (header->Status == (ushort)PageStatus.Ok) done[header->Incarnation - 0x1000] = true;
                    else refused = true;
                }
                leader.Release();
                if (cluster.Network.NowNs >= resendAt)
                {
                    resendAt = cluster.Network.NowNs + 3_000_000;
                    for (int silo = 0; silo < 2; silo++)
                        if (!done[silo]) Send(step, cut, silo);
                }
                return refused || (done[0] && done[1]) || cluster.Network.NowNs >= end;
            });
            return done[0] && done[1] && !refused;
        }

        void Send(CutStep step, ulong cut, int silo)
        {
            FrameHeader header;
            FrameCodec.Start(&header, FrameType.Cut);
            header.Generation = Cluster.FrameGeneration;
            header.Incarnation = cluster.Servers[silo].Incarnation.Value;
            header.Slot = (uint)step;
            header.Segment = cut;
            header.Confirmed = 1;
            FrameCodec.Seal(&header, null, checksummed: true);
            var frame = new TxFrame { Peer = cluster.Drivers[silo].Address, Header = (byte*)&header };
            leader.Send(new ReadOnlySpan<TxFrame>(ref frame));
        }

        void Run(Func<bool> until, long forNs = long.MaxValue / 4)
        {
            long end = cluster.Network.NowNs + forNs;
            while (!until() && cluster.Network.NowNs < end)
            {
                if (!writing && stamp < 250)
                {
                    if (next == 0) stamp++;
                    new Span<byte>(image, Layout.PageSize).Fill((byte)stamp);
                    Assert.True(cluster.Client.TryWrite(segments[next], 0, image, 1));
                    cluster.Client.Submit();
                    writing = true;
                }
                cluster.Step(each: c =>
                {
                    Assert.Equal(PageStatus.Ok, c.Status);
                    writing = false;
                    next = 1 - next;
                });
            }
        }
    }

    private static int StampOf(PageServer server, SegmentHandle segment)
    {
        Task<int> stamp = server.RunAsync(pool => (int)Cut(pool).GetValueOrDefault((segment.Segment.Value, 0L)));
        server.Poll(1L << 50);
        Assert.True(stamp.IsCompletedSuccessfully);
        return stamp.Result;
    }
}
