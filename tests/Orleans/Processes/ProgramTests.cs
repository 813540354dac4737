using Rum.Cluster.Tests;
using Rum.Cluster.Tests.Programs;

namespace Rum.Grains.Tests.Processes;

public sealed class ProgramTests
{
    private const int RoundsMax = 5;

    [Fact]
    public async Task Each_control_request_of_a_C_program_is_one_grain_call_and_a_CSharp_client_sees_its_segment()
    {
        using var directory = new TemporaryDirectory();
        string program = NativeProgram.Compile(Path.Combine(Repository.Root, "tests", "Orleans", "Processes", "named.c"), directory);
        await using var silos = new OrleansProcesses(3);
        await silos.StartAsync();
        var environment = new Dictionary<string, string> { ["RUM_MACHINES"] = silos.Cluster.Machines, ["RUM_CACHE"] = "4M" };
        // The C program: open session, the heap's own segment, make, close, open, close, open, free, open, free, close session. The C# client: open session, the
        // heap's own segment, open, close, make, close, close session.
        const string expected = "segment.close=4 segment.create=2 segment.free=2 segment.open=4 session.allocate=2 session.close=2 session.open=2";
        // A silo that doesn't answer for a seventh of a second, as in its first call it may, is passed over: then two carry a request, which is decided once. Such
        // a round says nothing and is done again.
        string calls = "";
        for (int round = 0; round < RoundsMax && calls != expected; round++) calls = await CallsOfRoundAsync(silos, program, environment);
        Assert.Equal(expected, calls);
    }

    private static async Task<string> CallsOfRoundAsync(OrleansProcesses silos, string program, Dictionary<string, string> environment)
    {
        SortedDictionary<string, long> before = await silos.GrainCountersAsync();

        using NativeProgram named = NativeProgram.Start(program, environment);
        await named.WaitForAsync("ready");
        await AskAsync(named, "make first", "make done");
        await AskAsync(named, "put 77", "put done");
        await AskAsync(named, "close", "close done");
        await AskAsync(named, "open first", "open done");
        await AskAsync(named, "get", "got 77");
        await AskAsync(named, "put 78", "put done");
        await AskAsync(named, "close", "close done");

        // A process of one session is taken by the program: the C# client is this one.
        await using (var plane = new OrleansControlPlane(await silos.ConnectAsync()))
        {
            RumClientOptions options = await plane.PrepareAsync(new RumClientOptions { CacheBytes = 4 << 20 });
            Assert.NotNull(options.Commands);
            await using RumClient client = await ConnectAsync(options);
            await using (RumSegment segment = await client.OpenAsync("first"))
            {
                Assert.Equal(78, segment.Read<long>(8000));
                segment.Write(8000, 79L);
            }
            await using RumSegment second = await client.AllocateAsync(1 << 20, RumAllocation.Named("second"));
            second.Write(8000, 5L);
            await second.FlushAsync();
        }

        await AskAsync(named, "open second", "open done");
        await AskAsync(named, "get", "got 5");
        await AskAsync(named, "free second", "free done");
        await AskAsync(named, "open first", "open done");
        await AskAsync(named, "get", "got 79");
        await AskAsync(named, "free first", "free done");
        await AskAsync(named, "end", "end 0");

        SortedDictionary<string, long> after = await silos.GrainCountersAsync();
        return string.Join(' ', after.Where(c => c.Key != "cluster.renew" && c.Value != before[c.Key]).Select(c => $"{c.Key}={c.Value - before[c.Key]}"));
    }

    internal static async Task<RumClient> ConnectAsync(RumClientOptions options)
    {
        try
        {
            return await RumClient.ConnectAsync(options);
        }
        catch (UserfaultfdUnavailableException e)
        {
            Assert.Skip(e.Message);
            throw;
        }
    }

    private static async Task AskAsync(NativeProgram program, string line, string answer)
    {
        int from = program.Lines.Length;
        program.Say(line);
        await Eventually.Async(() => program.Lines.Skip(from).Any() || program.HasExited, $"an answer to '{line}'", () => program.Output);
        await Eventually.Async(() => program.Lines.Skip(from).FirstOrDefault() == answer, $"'{answer}' to '{line}'", () => program.Output);
    }
}
