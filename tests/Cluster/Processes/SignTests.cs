using System.Text.Json;
using Rum.Cluster.Tests.Programs;
using Rum.Silo.Reporting;

namespace Rum.Cluster.Tests.Processes;

/// <summary>Signs of life between real silos.</summary>
public sealed class SignTests
{
    [Fact]
    public async Task AStoppedSiloAndOneWhoseControlPlaneHangsAreMissedUntilTheyGoOn()
    {
        using var directory = new TemporaryDirectory();
        string hang = NativeProgram.CompileOwn("hang", directory);
        using var cluster = new TestCluster(2);
        await cluster.StartAllAsync();
        await Eventually.Async(async () => await SignsHeardAsync(cluster) > 3, "the silo with the council hears the signs of the other", () => cluster.Silo(0).Errors);
        string name = cluster.Address(1).ToString();

        using (cluster.Silo(1).Stall())
        {
            await SaidAsync(cluster, $"silo {name} is silent", 1);
            Assert.Equal("silent", (await cluster.StatusAsync()).Silos.Single(s => s.Name == name).State);
        }
        await SaidAsync(cluster, $"silo {name} is heard again", 1);

        using (NativeProgram tracer = NativeProgram.Start(hang, [], $"{cluster.Silo(1).Id}", "rum-pages"))
        {
            await Eventually.Async(() => tracer.Output.Contains("threads hang") || tracer.HasExited, "the tracer has stopped the threads", () => tracer.Output);
            if (tracer.Output.Contains("not permitted")) Assert.Skip("threads of other processes can't be stopped here: " + tracer.Output);
            Assert.Contains("1 does not", tracer.Output);
            await SaidAsync(cluster, $"silo {name} is silent", 2);
            // It is missed although its page thread is heard.
            long heard = await SignsHeardAsync(cluster);
            await Eventually.Async(async () => await SignsHeardAsync(cluster) > heard, "signs of its page thread go on", () => tracer.Output);
            Assert.Equal(0, await tracer.EndAsync());
        }
        await SaidAsync(cluster, $"silo {name} is heard again", 2);
    }

    [Fact]
    public async Task ABusyMachineMissesNobody()
    {
        using var cluster = new TestCluster(3) { Seats = true };
        await cluster.StartAllAsync();
        using var rested = new CancellationTokenSource(TimeSpan.FromSeconds(8));
        Thread[] burners = [.. Enumerable.Range(0, 3 * Environment.ProcessorCount).Select(_ => new Thread(() =>
        {
            while (!rested.IsCancellationRequested) Thread.SpinWait(1000);
        }) { IsBackground = true })];
        foreach (Thread burner in burners) burner.Start();
        foreach (Thread burner in burners) burner.Join();
        ClusterReport status = await cluster.StatusAsync();
        Assert.All(status.Silos, silo => Assert.Equal("up", silo.State));
        for (int i = 0; i < 3; i++) Assert.DoesNotContain("is silent", cluster.Silo(i).Errors);
    }

    private static async Task<long> SignsHeardAsync(TestCluster cluster) =>
        JsonSerializer.Deserialize((await cluster.GetAsync(0, "/stats")).Text, ReportJson.Default.StatsReport)!.Counters["rum.silo.signs.heard"];

    private static Task SaidAsync(TestCluster cluster, string text, int times) =>
        Eventually.Async(() => cluster.Silo(0).Errors.Split(text).Length > times, $"'{text}', for the {times}. time", () => cluster.Silo(0).Errors);
}
