using System.Net;
using Rum.Core;
using Rum.Core.Council;
using Rum.Silo.Council;
using Rum.Silo.Reporting;

namespace Rum.Cluster.Tests.Processes;

public sealed class ClusterTests
{
    private static readonly UInt128 Key = SegmentKey.FromName("kept").Value;

    [Fact]
    public async Task ThreeSilosServeReportAndCountSegments()
    {
        using var cluster = new TestCluster(3);
        await cluster.StartAllAsync();
        Assert.Equal((HttpStatusCode.OK, "live\n"), await cluster.GetAsync(2, "/health/live"));
        Assert.Contains("\"rum.silo.frames.free\"", (await cluster.GetAsync(1, "/stats")).Text);
        Assert.Contains("\"council\": true", (await cluster.GetAsync(1, "/status")).Text);

        using RemoteCouncil council = cluster.Council();
        SessionId session = await TestCluster.OpenSessionAsync(council, 600_000);
        await TestCluster.DecideAsync(council, new RequestId(session, 0, 1), new Allocate(session, Key, 200 << 20, 1, SegmentFlags.None, default));

        ClusterReport status = await cluster.StatusAsync();
        Assert.Equal(["up", "up", "up"], status.Silos.Select(s => s.State));
        Assert.Equal(4096, status.Shards.Served);
        Assert.Equal(1, status.Sessions);
        Assert.Equal(200 << 20, status.ChargedBytes);
        Assert.Equal(3L * 256 << 20, status.CapacityBytes);
        Assert.Single(status.Silos, s => s.Council);

        (int exit, string output, _) = await RumProcess.RunAsync("segment", "show", "kept", "--machines", cluster.Machines);
        Assert.Equal(0, exit);
        Assert.Contains("200 MiB", output);
        Assert.Contains("test", (await RumProcess.RunAsync("session", "list", "--machines", cluster.Machines)).Output);
        (exit, output, _) = await RumProcess.RunAsync("stats", "--machines", cluster.Machines, "--json");
        Assert.Equal(0, exit);
        Assert.Contains("rum.council.decrees", output);

        // Somebody writes it: not to be deleted. Then nobody does.
        Assert.Equal(1, (await RumProcess.RunAsync("segment", "delete", "kept", "--machines", cluster.Machines)).Exit);
        await TestCluster.DecideAsync(council, default, new CloseSession(session));
        Assert.Equal(0, (await RumProcess.RunAsync("segment", "delete", "kept", "--machines", cluster.Machines)).Exit);
        await Eventually.Async(
            async () => (await cluster.StatusAsync()).ChargedBytes == 0, "the silos have dropped the segment and its room is free", () => cluster.Silo(0).Errors);
        Assert.Equal(1, (await RumProcess.RunAsync("segment", "show", "kept", "--machines", cluster.Machines)).Exit);
    }

    [Fact]
    public async Task ARestartedCouncilKeepsSegmentsAndCutsATornTail()
    {
        using var cluster = new TestCluster(2);
        await cluster.StartAllAsync();
        using (RemoteCouncil council = cluster.Council())
        {
            SessionId session = await TestCluster.OpenSessionAsync(council, 600_000);
            await TestCluster.DecideAsync(council, new RequestId(session, 0, 1), new Allocate(session, Key, 1 << 20, 1, SegmentFlags.None, default));
        }
        ClusterReport before = await cluster.StatusAsync();
        await cluster.Silo(0).KillAsync();
        string log = Path.Combine(cluster.Data, "log");
        using (FileStream file = new(log, FileMode.Append)) file.Write([40, 0, 0, 0, 1, 2, 3]);

        cluster.Start(0);
        await cluster.ReadyAsync(0);
        await cluster.ReadyAsync(1);
        Assert.Contains("the last record is torn (7 bytes", cluster.Silo(0).Errors);
        ClusterReport after = await cluster.StatusAsync();
        Assert.Equal(before.ClusterId, after.ClusterId);
        Assert.True(after.Decree > before.Decree);
        Assert.Equal(1, after.Segments);
        Assert.Equal(1, after.Sessions);
    }

    [Fact]
    public async Task ARestartedSiloHoldsNothingAndItsShardsAreLostByName()
    {
        using var cluster = new TestCluster(2);
        await cluster.StartAllAsync();
        using RemoteCouncil council = cluster.Council();
        SessionId session = await TestCluster.OpenSessionAsync(council, 600_000);
        await TestCluster.DecideAsync(council, new RequestId(session, 0, 1), new Allocate(session, Key, 256 << 20, 1, SegmentFlags.None, default));
        ClusterReport before = await cluster.StatusAsync();
        Assert.Equal(0, before.Shards.Lost);
        SiloReport victim = before.Silos.Single(s => !s.Council);
        Assert.True(victim.ShardsInUse > 0);

        await cluster.Silo(1).KillAsync();
        cluster.Start(1);
        await cluster.ReadyAsync(1);
        ClusterReport after = await cluster.StatusAsync();
        SiloReport again = after.Silos.Single(s => s.Id == victim.Id);
        Assert.NotEqual(victim.Incarnation, again.Incarnation);
        Assert.Equal(victim.ShardsInUse, after.Shards.Lost);
        Assert.Contains("lost", (await RumProcess.RunAsync("segment", "show", "kept", "--machines", cluster.Machines)).Output);
    }

    [Fact]
    public async Task ASilentSessionExpiresAndItsMemoryComesBack()
    {
        using var cluster = new TestCluster(1, "--lease", "3s");
        await cluster.StartAllAsync();
        using RemoteCouncil council = cluster.Council();
        SessionId session = await TestCluster.OpenSessionAsync(council);
        await TestCluster.DecideAsync(council, new RequestId(session, 0, 1), new Allocate(session, UInt128.Zero, 8 << 20, 1, SegmentFlags.None, default));
        await cluster.Silo(0).WaitForErrorAsync($"session {session.Value} expired");
        Assert.Equal(RumError.SessionExpired, (await council.AskAsync(new Heartbeat(session), default)).Error);
        await Eventually.Async(async () => (await cluster.StatusAsync()).ChargedBytes == 0, "its memory is free again", () => cluster.Silo(0).Errors);
    }

    [Fact]
    public async Task ASiloThatIsNotTheCouncilNamesTheOneThatIs()
    {
        using var cluster = new TestCluster(2);
        await cluster.StartAllAsync();
        (int exit, string output, string errors) = await RumProcess.RunAsync("status", "--silo", cluster.Address(1).ToString());
        Assert.True(exit == 0, errors);
        Assert.Contains(cluster.Address(0).ToString(), output);
    }
}
