using Rum.Core;
using Rum.Core.Council;
using Rum.FastPath.Client;
using Rum.FastPath.Drivers;
using Rum.FastPath.Drivers.Simulated;

namespace Rum.Unit.FastPath;

/// <summary>What a change of routes does to requests that are on their way, and to drivers.</summary>
public sealed class RouteTests
{
    [Fact]
    public void Requests_to_silos_that_did_not_change_are_not_sent_again()
    {
        using var cluster = new Cluster(2);
        SegmentHandle stays = Cluster.Handle(2, 5), moves = Cluster.Handle(3, 6);
        Assert.Equal(PageStatus.Ok, cluster.Write(stays, 0, 7));
        Assert.Equal(PageStatus.Ok, cluster.Write(moves, 0, 8));
        for (int page = 0; page < 8; page++)
        {
            Assert.True(cluster.Client.TryRead(stays, page, 1, 1));
            Assert.True(cluster.Client.TryRead(moves, page, 1, 2));
        }
        cluster.Client.Submit();
        long sent = cluster.ClientDriver.Counters.FramesSent;
        // Shard 3 goes to silo 0, where shard 2 is and stays.
        ClusterView view = cluster.View(2, owner: _ => 0);
        ShardView[] shards = [.. view.Shards.Select((shard, i) => i % 2 == 0 ? shard : shard with { Epoch = 2 })];
        view = new ClusterView(view.ClusterId, view.Generation, 2, view.Members, shards, view.RingShards);
        cluster.SetView(view);
        var ended = new List<(ulong Cookie, PageStatus Status)>();
        cluster.Until(() => ended.Count == 16, "all reads end", each: c => ended.Add((c.Cookie, c.Status)));
        Assert.Equal(8, ended.Count(e => e.Cookie == 1));
        // The eight that moved, and the fence of their segment where it is new.
        Assert.Equal(sent + 8 + 1, cluster.ClientDriver.Counters.FramesSent);
        Assert.Equal(0, cluster.Client.Counters.Resends);
    }

    [Fact]
    public void Writes_that_wait_for_a_fence_go_on_after_a_new_view()
    {
        using var cluster = new Cluster(2);
        SegmentHandle segment = Cluster.Handle(2, 5);
        unsafe
        {
            for (int page = 0; page < 4; page++) Assert.True(cluster.Client.TryWrite(segment, page, null, 1));
        }
        cluster.Client.Submit();
        cluster.SetView(cluster.View(2));
        int ended = 0;
        cluster.Until(() => ended == 4, "four writes end", each: c =>
        {
            Assert.Equal(PageStatus.Ok, c.Status);
            ended++;
        });
        Assert.Equal(1, cluster.Client.Counters.Fences);
    }

    [Fact]
    public void Drivers_of_routes_that_were_skipped_are_ended_once_and_by_the_owner()
    {
        using var cluster = new Cluster(1);
        cluster.Step();
        using var client = new PageClient();
        ClusterView view = cluster.View(1);
        CountedDriver[] drivers = [new(), new(), new()];
        foreach (CountedDriver driver in drivers) client.SetRoutes(Toward(view, driver));
        Assert.All(drivers, driver => Assert.Equal(0, driver.Ends));
        client.Poll(0, new PageCompletion[4]);
        Assert.Equal([1, 1, 0], drivers.Select(driver => driver.Ends));
        var last = new CountedDriver();
        client.SetRoutes(Toward(view, last));
        client.Dispose();
        Assert.Equal([1, 1, 1], drivers.Select(driver => driver.Ends));
        Assert.Equal(1, last.Ends);
    }

    [Fact]
    public void A_silo_that_hung_up_is_told_at_once()
    {
        using var cluster = new Cluster(1);
        int told = 0;
        using var client = new PageClient(new PageClientOptions { ViewIsStale = () => told++ });
        var driver = new CountedDriver();
        client.SetRoutes(Toward(cluster.View(1), driver));
        client.Poll(0, new PageCompletion[4]);
        Assert.Equal(0, told);
        driver.Disconnected = true;
        for (int i = 0; i < 3; i++) client.Poll(i, new PageCompletion[4]);
        Assert.Equal(1, told);
    }

    [Fact]
    public void Pages_are_read_from_the_replica_on_this_host_while_it_answers()
    {
        using var cluster = new Cluster(3);
        ClusterView view = cluster.View(1);
        Replica[] replicas = [.. view.Members.Select(member => new Replica(member.Id, member.Incarnation, ReplicaState.InSync))];
        ShardView[] shards = [.. view.Shards.Select(shard => shard with { Replicas = replicas })];
        view = new ClusterView(view.ClusterId, view.Generation, 1, view.Members, shards, view.RingShards);
        CountedDriver[] drivers = [new(), new(), new(sameHost: true)];
        using var client = new PageClient { Session = new SessionId(77) };
        client.SetRoutes(new ClientRoutes(new ShardMap(view), [.. view.Members.Select((member, i) => new SiloRoute(member.Incarnation, drivers[i], default))]));
        var completions = new PageCompletion[4];
        client.Poll(0, completions);
        Assert.True(client.TryRead(Cluster.Handle(2, 0), 0, 1, 1));
        client.Submit();
        Assert.Equal([0, 0, 1], drivers.Select(driver => driver.Sent));
        // What it doesn't answer goes to another one, new reads to the lead.
        drivers[2].Disconnected = true;
        client.Poll(1, completions);
        client.Submit();
        Assert.Equal([0, 1, 1], drivers.Select(driver => driver.Sent));
        Assert.True(client.TryRead(Cluster.Handle(2, 0), 1, 1, 2));
        client.Submit();
        Assert.Equal([1, 1, 1], drivers.Select(driver => driver.Sent));
    }

    private static ClientRoutes Toward(ClusterView view, IDriver driver) => new(new ShardMap(view), [new SiloRoute(view.Members[0].Incarnation, driver, default)]);

    private sealed class CountedDriver(bool sameHost = false) : IDriver
    {
        public int Sent { get; private set; }

        public int Ends { get; private set; }

        public bool Disconnected { get; set; }

        public DriverTraits Traits { get; } = new("test", 4096, false, true, false, false, sameHost);

        public int WaitDescriptor => -1;

        public DriverCounters Counters => default;

        public int Send(ReadOnlySpan<TxFrame> frames)
        {
            Sent += frames.Length;
            return frames.Length;
        }

        public int Receive(Span<RxFrame> frames) => 0;

        public void Release()
        {
        }

        public bool PrepareWait() => true;

        public void FinishWait()
        {
        }

        public void Dispose() => Ends++;
    }
}
