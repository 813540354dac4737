using System.Diagnostics;
using System.Globalization;
using Rum.Cluster.Tests.Programs;
using Rum.Core.Council;
using Rum.Silo.Council;

namespace Rum.Cluster.Tests.Processes;

/// <content><c>make chaos BUSY=yes</c>: the same silos and programs without faults, beside a thread for each CPU that computes without end. Nobody dies, so nobody may be missed.</content>
public sealed partial class ChaosTests
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task A_machine_at_its_limits_misses_nobody()
    {
        if (_seconds == 0 || !_busy) Assert.Skip("it is run by make chaos BUSY=yes");
        Say($"{_seconds} s, {Silos} silos, {Clients} programs with 2 copies of each page, and {Environment.ProcessorCount} processes that compute");
        using var directory = new TemporaryDirectory();
        using var cluster = new TestCluster(Silos) { Seats = true, Memory = "512M", CouncilMemory = "512M" };
        string program = NativeProgram.CompileOwn("replicas", directory);
        var clients = new List<NativeProgram>();
        var computing = new List<Process>();
        try
        {
            for (int silo = 0; silo < Silos; silo++) cluster.Start(silo);
            for (int silo = 0; silo < Silos; silo++) await cluster.ReadyAsync(silo);
            for (int client = 0; client < Clients; client++)
            {
                var environment = new Dictionary<string, string> { ["RUM_MACHINES"] = cluster.Machines, ["RUM_CACHE"] = "4M", ["RUM_COPIES"] = "2" };
                clients.Add(NativeProgram.Start(program, environment, $"{_seed + client}"));
            }
            foreach (NativeProgram client in clients) await client.WaitForAsync("filled");
            await HealedAsync(cluster, clients);
            using RemoteCouncil council = cluster.Council();
            ClusterView before = await ViewAsync(council);
            int silences = Noticed(cluster);
            for (int cpu = 0; cpu < Environment.ProcessorCount; cpu++) computing.Add(Compute(_seconds));
            for (Stopwatch run = Stopwatch.StartNew(); run.Elapsed.TotalSeconds < _seconds;)
            {
                await Task.Delay(LookEvery);
                foreach (NativeProgram client in clients) Assert.False(client.HasExited, client.Output);
                ClusterView view = await ViewAsync(council);
                Say($"{run.Elapsed.TotalSeconds:F0} s: silences={Noticed(cluster) - silences} decrees_about_silos={view.Decree - before.Decree}");
            }
            foreach (Process one in computing) Assert.False(one.HasExited, "a computing process ended before its time");
            foreach (NativeProgram client in clients) client.Say("stop");
            foreach (NativeProgram client in clients) Assert.True(await client.ExitAsync(300) == 0, client.Output);
            ClusterView after = await ViewAsync(council);
            int removals = before.Members.Count(member => !after.Members.Any(now => now.Id == member.Id && now.Incarnation == member.Incarnation && now.State == member.State));
            silences = Noticed(cluster) - silences;
            Say($"busy_seconds={_seconds} operations={Sum(clients, "operations")} bytes_verified={Sum(clients, "bytes_verified")} longest_read_stall_ms={Max(clients, "longest_read_stall_ms")} "
                + $"longest_write_stall_ms={Max(clients, "longest_write_stall_ms")} silences={silences} decrees_about_silos={after.Decree - before.Decree} removals={removals}");
            Assert.Equal((0, 0ul, 0), (silences, after.Decree - before.Decree, removals));
        }
        catch (Exception failure)
        {
            for (int silo = 0; silo < Silos; silo++) Say($"silo {silo} at {cluster.Address(silo)} said: {cluster.Silo(silo).Errors}");
            Say($"FAILED: {failure.Message}");
            throw;
        }
        finally
        {
            foreach (Process one in computing)
            {
                one.Kill(entireProcessTree: true);
                one.Dispose();
            }
            foreach (NativeProgram client in clients) client.Dispose();
            await _log.DisposeAsync();
        }
    }

    // Bounded by itself: it must not outlive a test that is killed.
    private static Process Compute(int seconds) =>
        Process.Start(new ProcessStartInfo("timeout", [(seconds + 600).ToString(CultureInfo.InvariantCulture), "sh", "-c", "while :; do :; done"]))!;

    private static async Task<ClusterView> ViewAsync(RemoteCouncil council) => ((ViewAnswer)await council.AskAsync(new GetView(0), default)).View!;

    // Whoever leads says it when a silo has become silent, and when it is taken for dead.
    private static int Noticed(TestCluster cluster) => Enumerable.Range(0, Silos).Sum(silo =>
        cluster.Silo(silo).Errors.Split('\n').Count(static line => line.Contains(" is silent; ", StringComparison.Ordinal) || line.Contains(" is taken for dead", StringComparison.Ordinal)));
}
