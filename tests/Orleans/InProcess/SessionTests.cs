using Microsoft.Extensions.Logging.Abstractions;
using Orleans.TestingHost;
using Rum.Core;
using Rum.Core.Council;
using Rum.Grains.Hosting;

namespace Rum.Grains.Tests.InProcess;

public sealed class SessionTests
{
    [Fact]
    public async Task A_thousand_sessions_that_fall_silent_at_once_are_each_ended_once()
    {
        const int count = 1000, leaseMs = 4000;
        await using Grid grid = await Grid.StartAsync(3);
        var sessions = new List<ulong>();
        using var silent = new CancellationTokenSource();
        Task beating = BeatAsync(grid, sessions, silent.Token);
        await Parallel.ForEachAsync(Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (_, _) =>
        {
            SessionId session = await grid.OpenSessionAsync(leaseMs);
            lock (sessions) sessions.Add(session.Value);
            await grid.AllocateAsync(session, 0, 1, UInt128.Zero, 8192);
        });
        ClusterStatus all = await grid.StatusAsync();
        Assert.Equal((count, count), (all.Sessions, all.Segments));
        Assert.Equal(8192L * count, all.Members.Sum(m => m.Charged));
        await silent.CancelAsync();
        await beating;

        await Eventually.Async(async () => (await grid.StatusAsync()).Sessions == 0, "all sessions have ended");
        await Eventually.Async(async () => (await grid.StatusAsync()).Members.Sum(m => m.Charged) == 0, "all memory is free again");
        Assert.Equal(0, (await grid.StatusAsync()).Segments);
        Assert.Equal(count, grid.Counter("rum.council.sessions.expired"));
        // By their grains, and not by the council's own clock, which waits for a lease more.
        await Eventually.Async(() => grid.Counter("rum.grains.session.expire") == count, "each session's grain saw its end", () => $"{grid.Counter("rum.grains.session.expire")}");
    }

    [Fact]
    public async Task A_second_activation_that_hears_no_heartbeat_ends_no_live_session()
    {
        const int leaseMs = 4000;
        await using Grid grid = await Grid.StartAsync(1);
        SessionId session = await grid.OpenSessionAsync(leaseMs);

        // A second Orleans cluster over the same council: there the session's grain is activated once more, as it is for a moment when a cluster is torn in two.
        await using var gateway = new GrainGateway(NullLogger.Instance);
        var builder = new InProcessTestClusterBuilder(1);
        builder.ConfigureSilo((_, silo) => silo.AddRum(grid.Nodes.Single(), gateway));
        await using InProcessTestCluster twin = builder.Build();
        await twin.DeployAsync();
        await twin.Client.GetGrain<ISessionGrain>(GrainKeys.OfSession(session.Value)).WatchAsync(leaseMs);

        using var silent = new CancellationTokenSource();
        Task beating = BeatAsync(grid, [session.Value], silent.Token);
        // Long enough for the twin to judge four times, twice what it needs to propose the end of a silent session.
        await Task.Delay(2 * leaseMs + leaseMs / 2);
        Assert.Equal(1, (await grid.StatusAsync()).Sessions);
        await silent.CancelAsync();
        await beating;

        await Eventually.Async(async () => (await grid.StatusAsync()).Sessions == 0, "the silent session has ended");
        Assert.Equal(1, grid.Counter("rum.council.sessions.expired"));
    }

    [Fact]
    public async Task The_same_request_at_another_activation_is_the_same_request()
    {
        await using Grid grid = await Grid.StartAsync(2);
        SessionId session = await grid.OpenSessionAsync(600_000);
        UInt128 key = SegmentKey.FromName("retried").Value;
        SegmentResult first = await grid.AllocateAsync(session, 3, 1, key);
        ISegmentGrain grain = grid.Client.GetGrain<ISegmentGrain>(GrainKeys.OfSegment(new SegmentKey(key), default));
        await grid.Orleans.DeactivateAsync(grain);
        SegmentResult again = await grid.AllocateAsync(session, 3, 1, key);
        Assert.Equal(first, again);
        SegmentReply other = await grain.CreateAsync(new CreateSegment(new RequestMark(session.Value, 3, 2), 4096, 1, 0, 0));
        Assert.Equal((ushort)RumError.AlreadyExists, other.Reply.Error);
        Assert.True(other.Reply.Decree > first.Decree);
    }

    [Fact]
    public async Task A_drained_silo_leaves_when_it_holds_nothing_and_not_before()
    {
        await using Grid grid = await Grid.StartAsync(3);
        SessionId session = await grid.OpenSessionAsync(600_000);
        SiloId[] others = [.. grid.Nodes.Where(n => !n.Council.LeadsHere).Select(n => n.Membership.Id)];
        CommandAnswer answer = await grid.Calls.DecideAsync(new RequestId(session, 0, 1), new Allocate(session, UInt128.Zero, 4096, 1, SegmentFlags.None, others[0]), default);
        Assert.Equal(RumError.None, answer.Result.Error);
        IClusterGrain cluster = grid.Client.GetGrain<IClusterGrain>(0);
        Assert.Equal((ushort)RumError.None, (await cluster.DrainAsync(others[0].Value)).Error);
        Assert.Equal((ushort)RumError.None, (await cluster.DrainAsync(others[1].Value)).Error);
        Assert.Contains((await cluster.MembersAsync()).Members, m => m.Silo == others[1].Value && !m.Up);
        Assert.Contains((await cluster.MembersAsync()).Members, m => m.Silo == others[0].Value && m.Up);
        GrainReply refused = await cluster.DrainAsync(grid.Nodes.First(n => n.Council.LeadsHere).Membership.Id.Value);
        Assert.Contains("the council alone", refused.Message);
        SegmentId segment = ((SegmentResult)answer.Result).Segment;
        Assert.Equal([segment.Value], (await grid.Client.GetGrain<ISessionGrain>(GrainKeys.OfSession(session.Value)).SegmentsAsync()).Segments);
        await grid.Calls.DecideAsync(new RequestId(session, 0, 2), new Free(session, segment, UInt128.Zero), default);
        await Eventually.Async(async () => (await cluster.MembersAsync()).Members.Any(m => m.Silo == others[0].Value && !m.Up), "the silo left when nothing was there any more");
    }

    [Fact]
    public async Task Copies_asked_for_through_grains_are_on_as_many_silos()
    {
        await using Grid grid = await Grid.StartAsync(3);
        SessionId session = await grid.OpenSessionAsync(600_000);
        CommandAnswer spread = await grid.Calls.DecideAsync(new RequestId(session, 0, 1), new Allocate(session, 77, 4096, 2, SegmentFlags.None, default), default);
        Assert.True(spread.Result.Error == RumError.None, spread.Result.Message);
        SiloId[] silos = [.. grid.Nodes.Select(n => n.Membership.Id)];
        var listed = new Allocate(session, UInt128.Zero, 4096, 0, SegmentFlags.None, new SiloSet(silos[2], silos[0], silos[1]));
        CommandAnswer pinned = await grid.Calls.DecideAsync(new RequestId(session, 0, 2), listed, default);
        Assert.True(pinned.Result.Error == RumError.None, pinned.Result.Message);

        ClusterView view = ((ViewAnswer)await grid.Council.AskAsync(new GetView(0), default)).View!;
        Assert.Equal(2, view.Shards[((SegmentResult)spread.Result).FirstShard.Value].Replicas.Select(r => r.Silo).Distinct().Count());
        Assert.Equal([silos[2], silos[0], silos[1]], view.Shards[((SegmentResult)pinned.Result).FirstShard.Value].Replicas.Select(r => r.Silo));
    }

    // As silos do: all that is due in one call.
    private static async Task BeatAsync(Grid grid, List<ulong> sessions, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            ulong[] batch;
            lock (sessions) batch = [.. sessions];
            RenewReply reply = await grid.Calls.RenewAsync(batch, default);
            Assert.DoesNotContain(0UL, reply.Counters);
            await Task.Delay(200, CancellationToken.None);
        }
    }
}
