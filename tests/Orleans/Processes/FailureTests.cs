using Rum.Cluster.Tests;
using Rum.Cluster.Tests.Programs;
using Rum.Silo.Reporting;

namespace Rum.Grains.Tests.Processes;

public sealed class FailureTests
{
    [Fact]
    public async Task Allocations_and_heartbeats_survive_the_death_of_a_silo_without_an_error()
    {
        await using var silos = new OrleansProcesses(3);
        await silos.StartAsync();
        Worker[] workers = await Task.WhenAll(Enumerable.Range(0, 4).Select(async i => await Worker.StartAsync(await silos.CallsAsync(), $"killed {i}")));
        foreach (Worker worker in workers) await worker.GoesOnAsync();
        await silos.Cluster.Silo(2).KillAsync();
        foreach (Worker worker in workers) await worker.GoesOnAsync(100);
        foreach (Worker worker in workers) await worker.StopAsync();
    }

    [Fact]
    public async Task What_Orleans_takes_for_dead_is_a_hint_to_the_council()
    {
        // By itself the council would wait much longer for a sign than this test does.
        await using var silos = new OrleansProcesses(3, "--suspect", "1h");
        await silos.StartAsync();
        await Eventually.Async(async () => await silos.ActiveAsync(0) == 3, "three silos are in Orleans' cluster");
        await silos.Cluster.Silo(2).KillAsync();
        await Eventually.Async(
            async () => (await silos.CountersAsync(0))?.GetValueOrDefault("rum.council.doubts") + (await silos.CountersAsync(1))?.GetValueOrDefault("rum.council.doubts") > 0,
            "the council hears that Orleans misses a silo");
        // And no more than that: its own detector decides.
        Assert.All((await silos.Cluster.StatusAsync()).Silos, s => Assert.Equal("up", s.State));
    }

    [Fact]
    public async Task A_rolling_restart_is_no_error_to_a_client()
    {
        await using var silos = new OrleansProcesses(3);
        await silos.StartAsync();
        Worker worker = await Worker.StartAsync(await silos.CallsAsync(), "rolling");
        await worker.GoesOnAsync();
        for (int silo = 2; silo >= 0; silo--)
        {
            Assert.Equal(0, await silos.Cluster.Silo(silo).StopAsync());
            silos.Cluster.Start(silo);
            await silos.Cluster.ReadyAsync(silo);
            await worker.GoesOnAsync();
        }
        await worker.StopAsync();
    }

    [Fact]
    public async Task A_silo_that_Orleans_declared_dead_keeps_its_pages_and_rejoins()
    {
        using var directory = new TemporaryDirectory();
        string program = NativeProgram.CompileOwn("worker", directory);
        await using var silos = new OrleansProcesses(3);
        await silos.StartAsync();
        var environment = new Dictionary<string, string> { ["RUM_MACHINES"] = silos.Cluster.Machines, ["RUM_CACHE"] = "4M", ["RUM_LEASE"] = "300s" };
        using NativeProgram worker = NativeProgram.Start(program, environment);
        await worker.WaitForAsync("ready");
        worker.Say("touch");
        await worker.WaitForAsync("touched 1");

        using (silos.Cluster.Silo(1).Stall())
        {
            // Three probes of up to 20 s each: on a busy machine Orleans gives them more time than the 5 s of a quiet one.
            await Eventually.Async(async () => await silos.ActiveAsync(0) == 2, "Orleans declares the stalled silo dead", patience: TimeSpan.FromMinutes(4));
        }
        await silos.Cluster.Silo(1).WaitForErrorAsync("Its host stops and rejoins; pages are served on");
        await silos.Cluster.ReadyAsync(1);
        worker.Say("touch");
        await worker.WaitForAsync("touched 2");
        await Eventually.Async(async () => await silos.ActiveAsync(0) == 3, "three silos are in Orleans' cluster again");
        ClusterReport status = await silos.Cluster.StatusAsync();
        Assert.Equal(0, status.Shards.Lost);
        Assert.All(status.Silos, s => Assert.Equal("up", s.State));
        Assert.Equal(0, await worker.EndAsync());
    }
}
