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
        var environment = new Dictionary<string, string> { ["RUM_MACHINES"] = cluster.Machines, ["RUM_CACHE"] = "1M", ["RUM_LEASE"] = "8s" };
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

    /// <summary>Nobody else has its only copy, and its silo may be back at any moment: the open waits for it, as a read would, and says for whom it waited.</summary>
    [Fact]
    public async Task An_open_waits_for_the_silo_of_an_only_copy_and_names_it()
    {
        using var directory = new TemporaryDirectory();
        using var cluster = new TestCluster(2);
        await cluster.StartAllAsync();
        string program = NativeProgram.CompileOwn("successor", directory), silo = cluster.Address(1).ToString();
        Dictionary<string, string> Waiting(string limit) => new() { ["RUM_MACHINES"] = cluster.Machines, ["RUM_CACHE"] = "1M", ["RUM_FAULT_TIMEOUT"] = limit };
        using (NativeProgram writer = NativeProgram.Start(program, Waiting("60s"), "leave", Name, silo))
        {
            await writer.WaitForAsync("left");
            Assert.True(await writer.ExitAsync() == 0, writer.Output);
        }
        await cluster.Silo(1).KillAsync();
        using (NativeProgram hasty = NativeProgram.Start(program, Waiting("2s"), "open", Name))
        {
            Assert.True(await hasty.ExitAsync() == 2, hasty.Output);
            Assert.Contains($"the silo {silo} holds some of it and doesn't answer", hasty.Output);
        }
        using NativeProgram patient = NativeProgram.Start(program, Waiting("600s"), "open", Name);
        await patient.WaitForAsync("opens");
        cluster.Start(1);
        // What the silo had is lost with its life: nobody can write there any more.
        Assert.True(await patient.ExitAsync() == 0, patient.Output);
        Assert.Contains("opened", patient.Output);
    }

    private static int Repeated(NativeProgram program) => program.Lines.Count(static line => line == "the same");
}
