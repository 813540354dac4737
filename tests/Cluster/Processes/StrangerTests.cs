using Microsoft.Extensions.Logging.Abstractions;
using Rum.Cluster.Tests.Programs;
using Rum.Core;
using Rum.Core.Council;
using Rum.Silo.Council;
using Rum.Silo.Storage;

namespace Rum.Cluster.Tests.Processes;

/// <summary>Clients of one cluster meet silos of another, which has the same addresses, the same numbers of sessions and segments, and the same names.</summary>
public sealed class StrangerTests
{
    [Fact]
    public async Task AProgramOfAnotherClusterIsRefusedAndReadsNothing()
    {
        using var directory = new TemporaryDirectory();
        string program = NativeProgram.CompileOwn("stranger", directory);
        int port = Ports.Free();
        File.WriteAllText(directory.File("machines.csv"), $"127.0.0.1:{port}");
        // Over UDP the socket stays the same whoever answers at its other end. A lease too long for the first session to end by it.
        var environment = new Dictionary<string, string>
        {
            ["RUM_MACHINES"] = directory.File("machines.csv"),
            ["RUM_CACHE"] = "4M",
            ["RUM_TRANSPORT"] = "udp",
            ["RUM_LEASE"] = "600s",
        };
        RumProcess Silo() => RumProcess.Start("silo", "run", "--dev", "--self", $"127.0.0.1:{port}", "--memory", "64M");
        NativeProgram first;
        using (RumProcess silo = Silo())
        {
            await Eventually.Async(() => silo.Output.Contains("The silo runs"), "the first cluster runs", () => silo.Errors);
            first = NativeProgram.Start(program, environment, "A");
            await first.WaitForAsync("filled");
            await silo.KillAsync();
        }
        using NativeProgram of = first;
        using RumProcess other = Silo();
        await Eventually.Async(() => other.Output.Contains("The silo runs"), "the other cluster runs", () => other.Errors);
        using NativeProgram second = NativeProgram.Start(program, environment, "B");
        await second.WaitForAsync("filled");

        first.Say("alloc");
        await first.WaitForAsync("says ");
        Assert.Contains("says 10 ", first.Output);
        Assert.Contains("another cluster", first.Output);
        Assert.Contains("open a new session", first.Output);
        first.Say("read");
        await first.WaitForAsync("read own");
        Assert.Contains("read own 0, foreign 0, gone 4096", first.Output);
        // The other one has noticed nothing.
        second.Say("read");
        await second.WaitForAsync("read own");
        Assert.Contains("read own 4096, foreign 0, gone 0", second.Output);
        Assert.Equal(0, await first.EndAsync());
        Assert.Equal(0, await second.EndAsync());
    }

    [Fact]
    public async Task TheLeaderDoesNothingForTheSessionsOfAnotherCluster()
    {
        CancellationToken cancelled = TestContext.Current.CancellationToken;
        long now = 1;
        using var leader = new CouncilLeader(
            new MemoryCouncilStore(), 10_000, () => Volatile.Read(ref now), NullLogger.Instance, defect => Assert.Fail(defect.ToString()));
        var opened = (CommandAnswer)await leader.AskAsync(new CommandRequest(default, new OpenSession(7, "", "own", 10_000)), cancelled);
        SessionId session = Assert.IsType<SessionResult>(opened.Result).Session;
        uint own = leader.FrameGeneration, foreign = own ^ 1;
        Assert.NotEqual(0u, own);

        CouncilRequest[] requests =
        [
            new Heartbeat(session), new GetView(0), new Describe(), new ListSegments(default, 10), new JudgeLeases([new LeaseMark(session, 1)]),
            new CommandRequest(new RequestId(session, 0, 1), new Allocate(session, default, 1 << 20, 1, SegmentFlags.None, default)),
            new CommandRequest(default, new CloseSession(session)),
        ];
        foreach (CouncilRequest request in requests)
        {
            CouncilAnswer answer = await AskAsync(leader, request, foreign);
            Assert.Equal((RumError.SessionExpired, 0ul, 0ul), (answer.Error, answer.Decree, answer.ViewDecree));
            Assert.Contains("another cluster", answer.Message);
            Assert.IsType<CouncilAnswer>(answer);
        }
        // Nor does its heartbeat renew the lease of the session here that has its number.
        Volatile.Write(ref now, 6_000_000_000);
        await AskAsync(leader, new Heartbeat(session), foreign);
        Assert.Equal(RumError.None, (await AskAsync(leader, new Heartbeat(session), 0)).Error);
        Volatile.Write(ref now, 17_000_000_000);
        await AskAsync(leader, new Heartbeat(session), foreign);
        var status = (StatusAnswer)await AskAsync(leader, new Describe(), own);
        await Eventually.Async(
            async () => ((StatusAnswer)await AskAsync(leader, new Describe(), own)).Status.Sessions == 0, "the session ends by its lease", () => $"{status.Status.Sessions}");
    }

    private static Task<CouncilAnswer> AskAsync(CouncilLeader leader, CouncilRequest request, uint generation)
    {
        var answered = new TaskCompletionSource<CouncilAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
        Assert.True(leader.TryAsk(request, answered.SetResult, generation));
        return answered.Task;
    }
}
