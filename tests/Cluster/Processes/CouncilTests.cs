using Rum.Cluster.Tests.Programs;
using Rum.Core;
using Rum.Core.Council;
using Rum.Silo.Council;
using Rum.Silo.Reporting;

namespace Rum.Cluster.Tests.Processes;

/// <summary>A council of three real silos that are really killed.</summary>
public sealed class CouncilTests
{
    private static Allocate Named(SessionId session, int n) => new(session, SegmentKey.FromName($"kept {n}").Value, 1 << 20, 1, SegmentFlags.None, default);

    [Fact]
    public async Task ACouncilOfThreeGrowsOutlivesItsLeaderAndTakesItBack()
    {
        using var cluster = new TestCluster(3) { Seats = true };
        await cluster.StartAllAsync();
        await CouncilOfThreeAsync(cluster);
        using RemoteCouncil council = cluster.Council();
        SessionId session = await TestCluster.OpenSessionAsync(council, 600_000);
        await TestCluster.DecideAsync(council, new RequestId(session, 0, 1), Named(session, 1));

        int leader = await LeaderAsync(cluster);
        await cluster.Silo(leader).KillAsync();
        Result second = await TestCluster.DecideAsync(council, new RequestId(session, 0, 2), Named(session, 2));
        // The same request again, at another leader than perhaps took it first: the same result, not a second segment.
        Assert.Equal(second, await TestCluster.DecideAsync(council, new RequestId(session, 0, 2), Named(session, 2)));

        cluster.Start(leader);
        await cluster.ReadyAsync(leader);
        await CouncilOfThreeAsync(cluster);
        int next = await LeaderAsync(cluster);
        await cluster.Silo(next).KillAsync();
        await TestCluster.DecideAsync(council, new RequestId(session, 0, 3), Named(session, 3));
        ClusterReport status = await cluster.StatusAsync();
        Assert.Equal(3, status.Segments);
        Assert.Equal(1, status.Sessions);
        await Eventually.Async(
            async () => (await cluster.StatusAsync()).Survivable.Contains("has no silo to spare", StringComparison.Ordinal),
            "rum status says that the council could not go on without another silo", () => cluster.Silo((next + 1) % 3).Errors);
    }

    [Fact]
    public async Task WithoutAMajorityNothingIsDecidedAndACopiedDirectoryDoesNotVote()
    {
        using var cluster = new TestCluster(3) { Seats = true };
        await cluster.StartAllAsync();
        await CouncilOfThreeAsync(cluster);
        int leader = await LeaderAsync(cluster), one = (leader + 1) % 3, other = (leader + 2) % 3;
        using RemoteCouncil council = cluster.Council();
        SessionId session = await TestCluster.OpenSessionAsync(council, 600_000);

        // A copy taken while the silo was stopped; then it goes on, and the copy is put back.
        await cluster.Silo(one).KillAsync();
        string copy = cluster.DataOf(one) + "-copy";
        Directory.CreateDirectory(copy);
        foreach (string file in Directory.GetFiles(cluster.DataOf(one))) File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        cluster.Start(one);
        await cluster.ReadyAsync(one);
        await CouncilOfThreeAsync(cluster);
        await TestCluster.DecideAsync(council, new RequestId(session, 0, 1), Named(session, 1));
        await CouncilOfThreeAsync(cluster);
        await cluster.Silo(one).KillAsync();
        Directory.Delete(cluster.DataOf(one), recursive: true);
        Directory.Move(copy, cluster.DataOf(one));
        cluster.Start(one);
        await cluster.Silo(one).WaitForErrorAsync("has forgotten what it had promised");

        // Two of three are gone now: what is asked waits, and is decided once one is back.
        await cluster.Silo(other).KillAsync();
        using (var brief = new RemoteCouncil(cluster.Address(leader), TimeSpan.FromSeconds(1)))
        {
            await Assert.ThrowsAsync<CouncilUnreachableException>(() => brief.AskAsync(new CommandRequest(new RequestId(session, 0, 2), Named(session, 2)), default));
        }
        cluster.Start(other);
        await TestCluster.DecideAsync(council, new RequestId(session, 0, 2), Named(session, 2));
    }

    [Fact]
    public async Task ALostMajorityIsRecoveredFromOneDiskOnlyWhenNobodyAnswers()
    {
        using var cluster = new TestCluster(3) { Seats = true };
        await cluster.StartAllAsync();
        await CouncilOfThreeAsync(cluster);
        using RemoteCouncil council = cluster.Council();
        SessionId session = await TestCluster.OpenSessionAsync(council, 600_000);
        await TestCluster.DecideAsync(council, new RequestId(session, 0, 1), Named(session, 1));
        await CouncilOfThreeAsync(cluster);
        string id = (await cluster.StatusAsync()).ClusterId;
        string[] recover = ["recover", "--accept-loss", "--data", cluster.DataOf(1), "--machines", cluster.Machines, "--cluster"];
        (int exit, _, string errors) = await RumProcess.RunAsync([.. recover, id]);
        Assert.NotEqual(0, exit);
        Assert.Contains("a majority of the council answers", errors);

        for (int i = 0; i < 3; i++) await cluster.Silo(i).KillAsync();
        Assert.Contains("say --accept-loss", (await RumProcess.RunAsync([.. recover.Where(a => a != "--accept-loss"), id])).Errors);
        Assert.Contains("not to", (await RumProcess.RunAsync([.. recover, Guid.NewGuid().ToString()])).Errors);
        (exit, _, errors) = await RumProcess.RunAsync([.. recover, id]);
        Assert.True(exit == 0, errors);

        cluster.Start(1);
        await cluster.ReadyAsync(1);
        ClusterReport status = await cluster.StatusAsync();
        Assert.Equal((id, 2u, 1, 0), (status.ClusterId, status.Generation, status.Segments, status.Sessions));
        // The disks of the others belong to the past.
        cluster.Start(2);
        await cluster.Silo(2).WaitForErrorAsync("generation 1, but the silos of");
    }

    [Fact]
    public async Task ThreeWitnessesDecideAndTheDeathOfTheirLeaderCostsNoLiveClientItsMemory()
    {
        using var directory = new TemporaryDirectory();
        string program = NativeProgram.CompileOwn("worker", directory);
        using var cluster = new TestCluster(4, "--lease", "5s") { Witnesses = 3 };
        await cluster.StartAllAsync();
        await CouncilOfThreeAsync(cluster);
        var environment = new Dictionary<string, string> { ["RUM_MACHINES"] = cluster.Machines, ["RUM_CACHE"] = "8M" };
        using NativeProgram living = NativeProgram.Start(program, environment);
        await living.WaitForAsync("ready");
        long one = (await cluster.StatusAsync()).ChargedBytes;
        using NativeProgram dying = NativeProgram.Start(program, environment);
        await dying.WaitForAsync("ready");
        ClusterReport both = await cluster.StatusAsync();
        Assert.Equal((2, 2 * one), (both.Sessions, both.ChargedBytes));
        Assert.StartsWith("only the loss of", both.Survivable);
        Assert.Contains("(nothing is stored there)", both.Survivable);
        Assert.DoesNotContain($"{cluster.Address(3)} (", both.Survivable);
        Assert.Contains("the council of 3 goes on without any one silo", both.Survivable);

        int leader = await LeaderAsync(cluster);
        await dying.KillAsync();
        await cluster.Silo(leader).KillAsync();
        // Its lease begins anew with the next leader, and ends there: what it had is freed once, and what the other has stays.
        living.Say("touch");
        await living.WaitForAsync("touched 1");
        living.Say("alloc");
        await living.WaitForAsync("allocated");
        await Eventually.Async(async () => (await cluster.StatusAsync()).Sessions == 1, "the dead client's session ends", () => cluster.Silo((leader + 1) % 3).Errors);
        await Eventually.Async(async () => (await cluster.StatusAsync()).ChargedBytes < 2 * one, "the dead client's memory is freed", () => cluster.Silo((leader + 1) % 3).Errors);
        Assert.InRange((await cluster.StatusAsync()).ChargedBytes, one, (2 * one) - 1);
        cluster.Start(leader);
        await cluster.ReadyAsync(leader);
        living.Say("touch");
        await living.WaitForAsync("touched 2");
        Assert.True(await living.EndAsync() == 0, living.Output);
        await Eventually.Async(
            async () => await cluster.StatusAsync() is { Sessions: 0, Segments: 0, ChargedBytes: 0 }, "nothing is left", () => cluster.Silo((leader + 1) % 3).Errors);
    }

    private static async Task CouncilOfThreeAsync(TestCluster cluster)
    {
        string last = "";
        await Eventually.Async(
            async () =>
            {
                (int exit, string output, string errors) = await RumProcess.RunAsync("status", "--machines", cluster.Machines, "--json");
                last = output + errors;
                if (exit != 0) return false;
                ClusterReport status = System.Text.Json.JsonSerializer.Deserialize(output, ReportJson.Default.ClusterReport)!;
                return status.Council.Count(s => s.Role != "candidate" && s.AnsweredMs < 1000 && s.Behind == 0) == 3;
            },
            "three silos are the council, and all of them answer",
            () => last + "\n" + string.Join("\n---\n", Enumerable.Range(0, 3).Select(i => cluster.Silo(i).Errors)));
    }

    private static async Task<int> LeaderAsync(TestCluster cluster)
    {
        string endpoint = (await cluster.StatusAsync()).Council.Single(s => s.Role == "leader").Endpoint;
        return Enumerable.Range(0, 3).Single(i => cluster.Address(i).ToString() == endpoint);
    }
}
