using System.Text.RegularExpressions;
using Rum.Cluster.Tests.Processes;
using Rum.Cluster.Tests.Programs;
using Rum.Core;
using Rum.Core.Council;
using Rum.Core.Council.Codec;
using Rum.FastPath.Client;
using Rum.FastPath.Drivers.Udp;
using Rum.Silo.Council;

namespace Rum.Cluster.Tests.Documents;

/// <summary>docs/ERRORS.md against what real processes say: each code is provoked, and its message, name and line in the document agree.</summary>
public sealed partial class ErrorsTests
{
    private static readonly UInt128 Key = SegmentKey.FromName("kept").Value;

    // What a program's calls return.
    private static readonly RumError[] OfPrograms =
    [
        RumError.NotInitialized, RumError.BadConfiguration, RumError.Unavailable, RumError.AlreadyInitialized, RumError.InvalidArgument, RumError.NotFound,
        RumError.AlreadyExists, RumError.BadPointer, RumError.PinBudgetExceeded, RumError.OutOfMemory, RumError.SegmentBusy, RumError.ReadOnly,
        RumError.UserfaultfdUnavailable,
    ];

    // What the council answers; clients take some of them as a reason to ask again.
    private static readonly RumError[] OfTheCouncil =
        [RumError.NotLeader, RumError.UnknownSilo, RumError.StaleView, RumError.SessionExpired, RumError.Pending, RumError.ShardLost];

    // What becomes of pages: a writer whose place another has taken, a silo that stands still.
    private static readonly RumError[] OfPages = [RumError.Fenced, RumError.Timeout];

    // What an end says that isn't ours: of another version, or out of its mind.
    private static readonly RumError[] OfStrangers = [RumError.Incompatible, RumError.Internal];

    [Fact]
    public void EveryCodeHasItsLineAndItsTest()
    {
        Dictionary<int, string[]> lines = Lines();
        Assert.Equal(Enum.GetValues<RumError>().Select(e => (int)e), lines.Keys.Order());
        foreach (RumError error in Enum.GetValues<RumError>())
        {
            Assert.Equal(error.ToString(), lines[(int)error][1]);
            Assert.True(lines[(int)error][2].Length > 0, $"{error} has no cause");
            Assert.True(error == RumError.None || lines[(int)error][3].Length > 0, $"{error} has no next step");
        }
        RumError[] all = [RumError.None, .. OfPrograms, .. OfTheCouncil, .. OfPages, .. OfStrangers];
        // Each set is what one of the tests below sees, no more and no less.
        Assert.Equal(Enum.GetValues<RumError>(), all.Order());
    }

    [Fact]
    public async Task WhatProgramsAreTold()
    {
        using var directory = new TemporaryDirectory();
        string program = NativeProgram.CompileOwn("errors", directory);
        int port = Ports.Free();
        File.WriteAllText(directory.File("machines.csv"), $"127.0.0.1:{port}");
        File.WriteAllText(directory.File("absent.csv"), $"127.0.0.1:{Ports.Free()}");
        using RumProcess silo = RumProcess.Start("silo", "run", "--dev", "--self", $"127.0.0.1:{port}", "--memory", "256M");
        await Eventually.Async(() => silo.Output.Contains("The silo runs"), "the silo runs", () => silo.Errors);
        var environment = new Dictionary<string, string>
        {
            ["RUM_MACHINES"] = directory.File("machines.csv"),
            ["ABSENT"] = directory.File("absent.csv"),
            ["RUM_CACHE"] = "8M",
        };
        using NativeProgram holder = NativeProgram.Start(program, environment, "hold");
        await holder.WaitForAsync("held");
        using NativeProgram errors = NativeProgram.Start(program, environment);
        Assert.True(await errors.EndAsync() == 0, errors.Output);
        using NativeProgram forbidden = NativeProgram.Start(program, environment, "forbidden");
        int exit = await forbidden.EndAsync();
        Assert.True(exit is 0 or 77, forbidden.Output);
        string[] said = [.. errors.Lines, .. exit == 77 ? ["13 UserfaultfdUnavailable (seccomp is not to be had here)"] : forbidden.Lines];

        Assert.Equal(OfPrograms.Select(e => $"{(int)e} {e}"), said.Select(line => string.Join(' ', line.Split(' ').Take(2))));
        Assert.All(said, line => Assert.True(line.Split(' ').Length > 4, $"no sentence: {line}"));
        // What the document tells to look for in the message.
        Assert.Contains("/nonexistent/machines.csv", said[1]);
        Assert.Contains("rum silo run --dev", said[2]);
        Assert.Contains("free", said[9]);
        Assert.Contains("userfaultfd", said[12]);
        Assert.Equal(0, await holder.EndAsync());
    }

    [Fact]
    public async Task WhatTheCouncilAnswers()
    {
        using var cluster = new TestCluster(2);
        await cluster.StartAllAsync();
        using RemoteCouncil council = cluster.Council();
        SessionId session = await TestCluster.OpenSessionAsync(council, 600_000);
        SiloId other = new((ushort)(await cluster.StatusAsync()).Silos.Single(s => !s.Council).Id);
        var pinned = new Allocate(session, Key, 10 << 20, 1, SegmentFlags.Pinned, other);
        SegmentId kept = ((SegmentResult)await TestCluster.DecideAsync(council, new RequestId(session, 0, 1), pinned)).Segment;
        var said = new List<(RumError Error, string Message)>
        {
            AskOnly(cluster.Address(1)),
            await DecideAsync(council, new RequestId(session, 0, 2), new Allocate(session, UInt128.Zero, 4096, 1, SegmentFlags.Pinned, new SiloId(99))),
            await AskAsync(council, new SiloHeartbeat(new SiloId(99), new Incarnation(1), 0)),
            await AskAsync(council, new Heartbeat(new SessionId(99))),
        };
        // A silo that is dead confirms no drop: its room is pending. Once it is back, what it held is lost.
        await cluster.Silo(1).KillAsync();
        Result freed = await TestCluster.DecideAsync(council, new RequestId(session, 0, 3), pinned with { Key = Key + 1, Size = 128 << 20 });
        await TestCluster.DecideAsync(council, new RequestId(session, 0, 4), new Free(session, ((SegmentResult)freed).Segment, default));
        said.Add(await DecideAsync(council, new RequestId(session, 0, 5), pinned with { Key = Key + 2, Size = 200 << 20 }));
        cluster.Start(1);
        await cluster.ReadyAsync(1);
        said.Add(await DecideAsync(council, new RequestId(session, 0, 6), new Resize(session, kept, 20 << 20)));

        Assert.Equal(OfTheCouncil, said.Select(s => s.Error));
        Assert.All(said, s => Assert.NotEmpty(s.Message));
        Assert.Equal(cluster.Address(0).ToString(), said[0].Message);
    }

    [Fact]
    public async Task WhatBecomesOfPages()
    {
        using var directory = new TemporaryDirectory();
        string program = NativeProgram.CompileOwn("errors", directory);
        using var cluster = new TestCluster(2, "--lease", "2s");
        await cluster.StartAllAsync();
        var environment = new Dictionary<string, string>
        {
            ["RUM_MACHINES"] = cluster.Machines,
            ["RUM_CACHE"] = "8M",
            ["RUM_FAULT_TIMEOUT"] = "3",
            ["SILO"] = cluster.Address(1).ToString(),
        };
        using NativeProgram late = NativeProgram.Start(program, environment, "fence");
        await late.WaitForAsync("held");
        // It sleeps through its lease, another takes its place, and nobody can tell it: its pages' silo must.
        IDisposable asleep = late.Stall();
        await cluster.Silo(0).WaitForErrorAsync("expired");
        using NativeProgram other = NativeProgram.Start(program, environment, "take");
        Assert.True(await other.EndAsync() == 0, other.Output);
        using (cluster.Silo(0).Stall())
        {
            asleep.Dispose();
            late.Say("go on");
            Assert.True(await late.EndAsync() == 0, late.Output);
        }

        using NativeProgram waits = NativeProgram.Start(program, environment, "page");
        await waits.WaitForAsync("held");
        using (cluster.Silo(1).Stall())
        {
            waits.Say("go on");
            Assert.True(await waits.EndAsync() == 0, waits.Output);
        }
        string[] said = [late.Lines.Single(IsError), waits.Lines.Single(IsError)];
        Assert.Equal(OfPages.Select(e => $"{(int)e} {e}"), said.Select(line => string.Join(' ', line.Split(' ').Take(2))));

        static bool IsError(string line) => char.IsDigit(line[0]);
    }

    [Fact]
    public async Task WhatStrangersSay()
    {
        using var directory = new TemporaryDirectory();
        string program = NativeProgram.CompileOwn("errors", directory);
        var said = new List<string>();
        foreach (bool version in new[] { true, false })
        {
            using var stranger = new Stranger(version);
            File.WriteAllText(directory.File("machines.csv"), stranger.Address.ToString());
            using NativeProgram meets = NativeProgram.Start(program, new() { ["RUM_MACHINES"] = directory.File("machines.csv") }, "init");
            Assert.True(await meets.EndAsync() == 0, meets.Output);
            said.Add(meets.Output);
            if (!version) continue;
            (int exit, _, string errors) = await RumProcess.RunAsync("status", "--silo", stranger.Address.ToString());
            Assert.Equal(3, exit);
            Assert.Contains("speaks another version", errors);
        }
        Assert.Equal(OfStrangers.Select(e => $"{(int)e} {e}"), said.Select(line => string.Join(' ', line.Split(' ').Take(2))));
        Assert.Contains("another version", said[0]);
        Assert.Contains("report it", said[1]);
    }

    [Fact]
    public void ARequestOfAnotherVersionIsToldSo()
    {
        using var stranger = new Stranger(ofOtherVersion: false);
        using var client = new System.Net.Sockets.UdpClient(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        client.Client.ReceiveTimeout = (int)Eventually.Patience.TotalMilliseconds;
        byte[] request = Stranger.Frame(version: 9, type: 6);
        client.Send(request, stranger.Address);
        System.Net.IPEndPoint? from = null;
        byte[] answer = client.Receive(ref from);
        // Magic, version 1, a Hello's answer with the status.
        Assert.Equal((0x52, 0x55, 1, 128 + 5, (byte)RumError.Incompatible), (answer[0], answer[1], answer[2], answer[3], answer[98]));
        // An answer is not answered, or two versions would talk for ever.
        client.Send(Stranger.Frame(version: 9, type: 128 + 5), stranger.Address);
        client.Send(request, stranger.Address);
        client.Receive(ref from);
        Assert.Equal(0, client.Available);
    }

    [Fact]
    public async Task APageThatIsNotHadInTimeNamesItsSiloAndEndsInSigbus()
    {
        using var directory = new TemporaryDirectory();
        string program = NativeProgram.CompileOwn("worker", directory);
        using var cluster = new TestCluster(1);
        await cluster.StartAllAsync();
        using NativeProgram worker = NativeProgram.Start(
            program, new() { ["RUM_MACHINES"] = cluster.Machines, ["RUM_CACHE"] = "8M", ["RUM_FAULT_TIMEOUT"] = "2" });
        await worker.WaitForAsync("ready");
        await cluster.Silo(0).KillAsync();
        worker.Say("touch");
        Assert.Equal(128 + 7, await worker.EndAsync());
        Assert.Matches(@"is waited for since [\d.]+ s \(TimedOut\)", worker.Output);
        Assert.Contains("touching it ends in SIGBUS", worker.Output);
        Assert.Contains($"on {cluster.Address(0)}", worker.Output);
    }

    private static (RumError Error, string Message) AskOnly(System.Net.IPEndPoint silo)
    {
        CouncilAnswer? answer = null;
        using var heard = new CancellationTokenSource();
        using var client = new ControlClient(UdpDriver.Toward([silo]), [UdpPeer.From(silo)], new ControlClientOptions { LeaderOf = Read });
        byte[] buffer = new byte[RequestCodec.BytesMax];
        client.Call(default, buffer.AsSpan(0, RequestCodec.Encode(buffer, new Core.Council.Describe())), Eventually.Patience, heard.Token);
        return answer is null ? (RumError.None, "no answer") : (answer.Error, answer.Message);

        FastPath.Drivers.PeerAddress? Read(byte[] bytes)
        {
            if (AnswerCodec.TryDecode(bytes, out answer)) heard.Cancel();
            return null;
        }
    }

    private static async Task<(RumError Error, string Message)> AskAsync(RemoteCouncil council, CouncilRequest request)
    {
        CouncilAnswer answer = await council.AskAsync(request, default);
        return (answer.Error, answer.Message);
    }

    private static async Task<(RumError Error, string Message)> DecideAsync(RemoteCouncil council, RequestId id, Command command)
    {
        Result result = ((CommandAnswer)await council.AskAsync(new CommandRequest(id, command), default)).Result;
        return (result.Error, result.Message);
    }

    private static Dictionary<int, string[]> Lines() => File.ReadLines(Path.Combine(Repository.Root, "docs", "ERRORS.md"))
        .Where(line => NumberedLine().IsMatch(line))
        .Select(line => line.Trim('|').Split('|', StringSplitOptions.TrimEntries))
        .ToDictionary(cells => int.Parse(cells[0]));

    [GeneratedRegex(@"^\| \d+ \|")]
    private static partial Regex NumberedLine();
}
