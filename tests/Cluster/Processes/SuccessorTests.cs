using Rum.Cluster.Tests.Programs;

namespace Rum.Cluster.Tests.Processes;

/// <summary>A writer is killed in the middle of its writes, and another opens its segment: what it reads it reads again, whichever silo dies then.</summary>
public sealed class SuccessorTests
{
    private const string Name = "an inheritance";

    [Fact]
    public async Task A_successor_reads_the_same_from_whichever_replica()
    {
        using var directory = new TemporaryDirectory();
        using var cluster = new TestCluster(3);
        await cluster.StartAllAsync();
        string program = NativeProgram.CompileOwn("successor", directory);
        var environment = new Dictionary<string, string> { ["RUM_MACHINES"] = cluster.Machines, ["RUM_CACHE"] = "1M", ["RUM_LEASE"] = "2s" };
        using (NativeProgram writer = NativeProgram.Start(program, environment, "write", Name))
        {
            await writer.WaitForAsync("writes on");
            await writer.KillAsync();
        }
        using NativeProgram successor = NativeProgram.Start(program, environment, "succeed", Name);
        await successor.WaitForAsync("read");
        for (int silo = 1; silo <= 2; silo++)
        {
            await cluster.Silo(silo).KillAsync();
            await Eventually.Async(
                async () => (await cluster.StatusAsync()).Silos.Single(s => s.Endpoint == cluster.Address(silo).ToString()).State == "silent", $"silo {silo} taken for dead");
            int before = Repeated(successor);
            successor.Say("again");
            await Eventually.Async(() => successor.HasExited || Repeated(successor) > before, "all is read once more", () => successor.Output);
            Assert.False(successor.HasExited, successor.Output);
            cluster.Start(silo);
            await cluster.ReadyAsync(silo);
            await Eventually.Async(async () => (await cluster.StatusAsync()).Shards is { Incomplete: 0, Learning: 0 }, "every shard with its copies in sync");
        }
        successor.Say("stop");
        Assert.True(await successor.ExitAsync() == 0, successor.Output);
        Assert.Contains("closed", successor.Output);
    }

    private static int Repeated(NativeProgram program) => program.Lines.Count(static line => line == "the same");
}
