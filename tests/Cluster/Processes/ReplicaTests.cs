using Rum.Cluster.Tests.Programs;
using Rum.Silo.Reporting;

namespace Rum.Cluster.Tests.Processes;

/// <summary>Pages with two copies on silos that are really killed, while a C program reads and writes them: it sees nothing but time.</summary>
public sealed class ReplicaTests
{
    [Fact]
    public async Task Two_deaths_one_after_the_other_and_a_drain_lose_nothing()
    {
        using var directory = new TemporaryDirectory();
        using var cluster = new TestCluster(4);
        await cluster.StartAllAsync();
        using NativeProgram writer = await StartAsync(cluster, directory);

        for (int silo = 1; silo <= 2; silo++)
        {
            await cluster.Silo(silo).KillAsync();
            await TakenForDeadAsync(cluster, silo);
            await FlushesAsync(writer);
            await HealedAsync(cluster);
        }
        cluster.Start(1);
        await cluster.ReadyAsync(1);
        await HealedAsync(cluster);
        (int exit, string output, string errors) = await RumProcess.RunAsync("silo", "drain", cluster.Address(3).ToString(), "--machines", cluster.Machines);
        Assert.True(exit == 0, errors);
        Assert.Contains("safe to stop", output);
        await cluster.Silo(3).KillAsync();
        await FlushesAsync(writer);
        await EndAsync(cluster, writer);
    }

    [Fact]
    public async Task The_death_of_the_silo_that_leads_the_council_is_the_death_of_a_silo()
    {
        using var directory = new TemporaryDirectory();
        using var cluster = new TestCluster(3) { Seats = true };
        await cluster.StartAllAsync();
        await Eventually.Async(
            async () => (await cluster.StatusAsync()).Council.Count(s => s.Role != "candidate" && s.Behind == 0) == 3, "a council of three");
        using NativeProgram writer = await StartAsync(cluster, directory);

        string endpoint = (await cluster.StatusAsync()).Council.Single(s => s.Role == "leader").Endpoint;
        int leader = Enumerable.Range(0, 3).Single(i => cluster.Address(i).ToString() == endpoint);
        await cluster.Silo(leader).KillAsync();
        await TakenForDeadAsync(cluster, leader);
        await FlushesAsync(writer);
        cluster.Start(leader);
        await cluster.ReadyAsync(leader);
        await HealedAsync(cluster);
        await EndAsync(cluster, writer);
    }

    private static async Task<NativeProgram> StartAsync(TestCluster cluster, TemporaryDirectory directory)
    {
        string program = NativeProgram.CompileOwn("replicas", directory);
        NativeProgram writer = NativeProgram.Start(program, new Dictionary<string, string> { ["RUM_MACHINES"] = cluster.Machines, ["RUM_CACHE"] = "4M", ["RUM_COPIES"] = "2" });
        try
        {
            await writer.WaitForAsync("filled");
            await HealedAsync(cluster);
            return writer;
        }
        catch
        {
            writer.Dispose();
            throw;
        }
    }

    // Write-backs go on: everything that was stored is on all replicas that there are now.
    private static async Task FlushesAsync(NativeProgram writer)
    {
        int before = writer.Lines.Count(line => line.StartsWith("flushed", StringComparison.Ordinal));
        writer.Say("flush");
        await Eventually.Async(
            () => writer.HasExited || writer.Lines.Count(line => line.StartsWith("flushed", StringComparison.Ordinal)) > before, "write-backs go on", () => writer.Output);
        Assert.False(writer.HasExited, writer.Output);
    }

    private static async Task EndAsync(TestCluster cluster, NativeProgram writer)
    {
        writer.Say("stop");
        Assert.True(await writer.ExitAsync() == 0, writer.Output);
        Assert.Contains("lost: 0", writer.Output);
        TestContext.Current.TestOutputHelper?.WriteLine(writer.Output);
        Assert.Equal(0, (await cluster.StatusAsync()).Shards.Lost);
    }

    private static Task TakenForDeadAsync(TestCluster cluster, int silo) => Eventually.Async(
        async () => (await cluster.StatusAsync()).Silos.Single(s => s.Endpoint == cluster.Address(silo).ToString()).State == "silent", $"silo {silo} taken for dead");

    private static async Task HealedAsync(TestCluster cluster)
    {
        ShardsReport? last = null;
        await Eventually.Async(
            async () => (last = (await cluster.StatusAsync()).Shards) is { Incomplete: 0, Learning: 0 }, "every shard with its copies in sync", () => $"{last}");
    }
}
