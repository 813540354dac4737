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
}
