using Rum.Core;
using Rum.Core.Council;
using Rum.FastPath.Client;
using Rum.FastPath.Drivers.Simulated;
using Rum.FastPath.Server;

namespace Rum.Unit.FastPath;

public sealed class PageServerTests
{
    [Theory]
    [InlineData(4096)]
    [InlineData(1344)]
    [InlineData(256)]
    public void What_is_written_is_read(int maxPayload)
    {
        using var cluster = new Cluster(2, network: new SimulatedNetworkOptions { MaxPayload = maxPayload });
        SegmentHandle a = Cluster.Handle(5, 1), b = Cluster.Handle(6, 2);
        Assert.Equal((PageStatus.Zero, 0), cluster.Read(a, 3));
        Assert.Equal(PageStatus.Ok, cluster.Write(a, 3, 0xAB));
        Assert.Equal(PageStatus.Ok, cluster.Write(b, 3, 0xCD));
        Assert.Equal(PageStatus.Ok, cluster.Write(a, 16384 * 3, 0x11));
        Assert.Equal((PageStatus.Ok, 0xAB), cluster.Read(a, 3));
        Assert.Equal((PageStatus.Ok, 0xCD), cluster.Read(b, 3));
        Assert.Equal((PageStatus.Ok, 0x11), cluster.Read(a, 16384 * 3));
        Assert.Equal(PageStatus.Ok, cluster.Write(a, 3, 0, zero: true));
        Assert.Equal((PageStatus.Zero, 0), cluster.Read(a, 3));
        Assert.Equal(PageStatus.Ok, cluster.Trim(b, 0, 100));
        Assert.Equal((PageStatus.Zero, 0), cluster.Read(b, 3));
    }

    [Fact]
    public void Pages_are_received_into_the_frames_that_they_live_in()
    {
        const int Pages = 200;
        using var cluster = new Cluster();
        SegmentHandle segment = Cluster.Handle(5, 1);
        for (int i = 0; i < Pages; i++) Assert.Equal(PageStatus.Ok, cluster.Write(segment, i, (byte)(i % 251 + 1)));
        // The first one shows that pages come; the others find frames lent to the driver.
        Assert.Equal(1, cluster.Server.Counters.PagesCopied);
        Assert.Equal(Pages, cluster.Server.Counters.PagesWritten);
        for (int i = 0; i < Pages; i++) Assert.Equal((PageStatus.Ok, (byte)(i % 251 + 1)), cluster.Read(segment, i));
        // What is written anew while the old image may be on its way gets another frame; frames lent are as good as free.
        for (int i = 0; i < Pages; i++) Assert.Equal(PageStatus.Ok, cluster.Write(segment, i, (byte)(i % 13 + 1)));
        for (int i = 0; i < Pages; i++) Assert.Equal((PageStatus.Ok, (byte)(i % 13 + 1)), cluster.Read(segment, i));
        PagePoolStatistics full = cluster.Server.PoolStatistics;
        Assert.Equal(full.FramesTotal - Pages, full.FramesFree);
    }

    [Fact]
    public void Frames_lent_to_a_driver_come_back_when_no_page_came_for_a_while()
    {
        using var cluster = new Cluster();
        SegmentHandle segment = Cluster.Handle(5, 1);
        for (int i = 0; i < 3; i++) Assert.Equal(PageStatus.Ok, cluster.Write(segment, i, 7));
        Assert.Equal(1, cluster.Server.Counters.PagesCopied);
        // A thread that sleeps until something is due wakes for it, and for nothing afterwards.
        Assert.InRange(cluster.Server.WaitNs(cluster.Network.NowNs), 1, 1_100_000_000);
        long until = cluster.Network.NowNs + 2_000_000_000;
        cluster.Until(() => cluster.Network.NowNs >= until, "two seconds");
        Assert.Equal(long.MaxValue, cluster.Server.WaitNs(cluster.Network.NowNs));
        Assert.Equal(PageStatus.Ok, cluster.Write(segment, 3, 7));
        Assert.Equal(2, cluster.Server.Counters.PagesCopied);
        Assert.Equal(cluster.Server.PoolStatistics.FramesTotal - 4, cluster.Server.PoolStatistics.FramesFree);
    }

    [Fact]
    public void A_silo_without_a_view_lets_requests_wait()
    {
        using var cluster = new Cluster(views: false);
        ClusterView view = cluster.View(1);
        cluster.SetClientView(view);
        Assert.True(cluster.Client.TryRead(Cluster.Handle(1, 0), 0, 1, 9));
        cluster.Until(() => cluster.Server.Counters.Refused[(int)PageStatus.NotReady] > 0, "NotReady answered");
        int ended = 0;
        cluster.SetServerView(view);
        cluster.Until(() => ended == 1, "read completes", each: _ => ended++);
        Assert.True(cluster.Client.StaleViewReports > 0);
    }

    [Fact]
    public void A_later_writer_fences_the_earlier()
    {
        using var cluster = new Cluster();
        Assert.Equal(PageStatus.Ok, cluster.Write(Cluster.Handle(1, 5), 0, 1));
        Assert.Equal(PageStatus.Ok, cluster.Write(Cluster.Handle(1, 6), 0, 2));
        Assert.Equal(PageStatus.Fenced, cluster.Write(Cluster.Handle(1, 5), 0, 3));
        Assert.Equal((PageStatus.Ok, 2), cluster.Read(Cluster.Handle(1, 0), 0));
    }

    [Theory]
    [InlineData(4096)]
    [InlineData(1344)]
    public void A_late_write_of_the_predecessor_changes_nothing_that_a_new_writer_has_read(int maxPayload)
    {
        using var cluster = new Cluster(network: new SimulatedNetworkOptions { MaxPayload = maxPayload });
        Assert.Equal(PageStatus.Ok, cluster.Write(Cluster.Handle(1, 5), 0, 1));
        Assert.Equal((PageStatus.Ok, 1), cluster.Read(Cluster.Handle(1, 6), 0));
        Assert.Equal(PageStatus.Fenced, cluster.Write(Cluster.Handle(1, 5), 0, 9));
        Assert.Equal((PageStatus.Ok, 1), cluster.Read(Cluster.Handle(1, 6), 0));
        Assert.Equal(PageStatus.Fenced, cluster.Read(Cluster.Handle(1, 5), 0).Status);
        // A reader asks for no fence.
        Assert.Equal((PageStatus.Ok, 1), cluster.Read(Cluster.Handle(1, 0), 0));
    }

    [Fact]
    public void Of_a_write_in_fragments_only_what_was_lost_is_sent_again()
    {
        const int Writes = 400;
        const double Loss = 0.2;
        using var cluster = new Cluster(network: new SimulatedNetworkOptions { MaxPayload = 1344 });
        cluster.Network.SetLink(cluster.ClientDriver.Number, cluster.Drivers[0].Number, new LinkSettings { Loss = Loss });
        for (int i = 0; i < Writes; i++) Assert.Equal(PageStatus.Ok, cluster.Write(Cluster.Handle(1, 5), i, (byte)(i + 1)));
        cluster.Network.SetLink(cluster.ClientDriver.Number, cluster.Drivers[0].Number, new LinkSettings());
        for (int i = 0; i < Writes; i++) Assert.Equal((PageStatus.Ok, (byte)(i + 1)), cluster.Read(Cluster.Handle(1, 5), i));
        Assert.Equal(Writes, cluster.Server.Counters.PagesWritten);
        // Four fragments a page; each must arrive once, so it is sent 1 / (1 - loss) times. Sent whole, a page takes more than twice as many.
        double perPage = (cluster.ClientDriver.Counters.FramesSent - Writes) / (double)Writes;
        Assert.InRange(perPage, 4, 4 / (1 - Loss) * 1.2);
    }

    [Fact]
    public async Task A_freed_segment_is_gone_and_its_frames_are_free()
    {
        using var cluster = new Cluster();
        for (int i = 0; i < 20; i++) Assert.Equal(PageStatus.Ok, cluster.Write(Cluster.Handle(1, 5), i, 1));
        Assert.Equal(20, cluster.Server.PoolStatistics.PagesStored);
        Task dropped = cluster.Server.DropSegmentAsync(new SegmentId(1));
        cluster.Until(() => dropped.IsCompleted, "drop completes");
        await dropped;
        Assert.Equal(0, cluster.Server.PoolStatistics.PagesStored);
        Assert.Equal(cluster.Server.PoolStatistics.FramesTotal, cluster.Server.PoolStatistics.FramesFree);
        Assert.Equal(PageStatus.Gone, cluster.Read(Cluster.Handle(1, 5), 3).Status);
        Assert.Equal(PageStatus.Gone, cluster.Write(Cluster.Handle(1, 5), 3, 1));
    }

    [Fact]
    public void A_shard_that_moved_is_found_after_the_next_view()
    {
        using var cluster = new Cluster(2);
        SegmentHandle segment = Cluster.Handle(2, 5);
        Assert.Equal(PageStatus.Ok, cluster.Write(segment, 0, 7));
        ClusterView moved = cluster.View(2, epoch: 2, owner: _ => 1);
        cluster.SetServerView(moved);
        int ended = 0;
        Assert.True(cluster.Client.TryRead(segment, 0, 1, 9));
        long reports = cluster.Client.StaleViewReports;
        cluster.Until(() => cluster.Client.StaleViewReports > reports, "stale view reported", each: _ => ended++);
        Assert.Equal(0, ended);
        cluster.SetClientView(moved);
        cluster.Until(() => ended == 1, "read completes at the new silo", each: c =>
        {
            ended++;
            Assert.Equal(PageStatus.Zero, c.Status);
        });
    }

    [Fact]
    public void Pages_of_a_lost_shard_end_as_Lost_each()
    {
        using var cluster = new Cluster();
        cluster.SetView(cluster.View(2, state: _ => ShardState.Lost));
        var pages = new List<long>();
        cluster.Step();
        Assert.True(cluster.Client.TryRead(Cluster.Handle(1, 0), 10, 5, 9));
        cluster.Until(() => pages.Count == 5, "five pages end", each: c =>
        {
            Assert.Equal(PageStatus.Lost, c.Status);
            pages.Add(c.Page);
        });
        Assert.Equal([10, 11, 12, 13, 14], pages);
        Assert.Equal(0, cluster.Client.Outstanding);
    }
}
