using System.Globalization;
using System.Text.Json;
using Rum.Cluster.Tests.Programs;
using Rum.Silo.Reporting;

namespace Rum.Cluster.Tests.Processes;

/// <summary>
/// Who has nothing to do sleeps. Counted against heartbeats, which keep their pace, instead of against a clock: how often the threads went to sleep, that is how often something woke
/// them. On a machine that is too busy to beat in time there are fewer of both.
/// </summary>
public sealed class IdleTests
{
    private const int Beats = 5, FewMore = 6;

    [Fact]
    public async Task AnIdleClientAndItsSiloWakeForHeartbeatsOnly()
    {
        using var directory = new TemporaryDirectory();
        string worker = NativeProgram.CompileOwn("worker", directory);
        using var cluster = new TestCluster(1, "--lease", "5s");
        await cluster.StartAllAsync();
        using NativeProgram program = NativeProgram.Start(worker, new() { ["RUM_MACHINES"] = cluster.Machines, ["RUM_CACHE"] = "16M" });
        await program.WaitForAsync("ready");
        await BeatsAsync(cluster, 2);

        (Dictionary<string, long> silo, Dictionary<string, long> client) = (Sleeps(cluster.Silo(0).Id), Sleeps(program.Id));
        await BeatsAsync(cluster, Beats);
        (Dictionary<string, long> siloNow, Dictionary<string, long> clientNow) = (Sleeps(cluster.Silo(0).Id), Sleeps(program.Id));

        // A beat comes in and its answer goes out: two or three for the page thread; those who wait for it may sleep once more for a lock.
        AssertAtMost(5, silo, siloNow, "rum-pages", "rum-council", "rum-control");
        AssertAtMost(5, client, clientNow, "rum-control");
        // Nothing of a heartbeat reaches them.
        AssertAtMost(0, client, clientNow, "rum-pager", "rum-upkeep");
    }

    private static void AssertAtMost(int perBeat, Dictionary<string, long> before, Dictionary<string, long> after, params string[] names)
    {
        foreach (string name in names)
        {
            Assert.True(before.ContainsKey(name) && after.ContainsKey(name), $"there is no thread {name} among {string.Join(", ", after.Keys)}");
            long woken = after[name] - before[name];
            // Heartbeats may have begun before and after those counted.
            Assert.True(woken <= (perBeat * (Beats + 2)) + FewMore, $"{name} woke {woken} times during {Beats} heartbeats");
        }
    }

    /// <summary>Voluntary switches of a process's threads that have names of ours.</summary>
    private static Dictionary<string, long> Sleeps(int process)
    {
        var sleeps = new Dictionary<string, long>();
        foreach (string task in Directory.EnumerateDirectories($"/proc/{process}/task"))
        {
            try
            {
                string name = File.ReadAllText(Path.Combine(task, "comm")).Trim();
                if (!name.StartsWith("rum-", StringComparison.Ordinal)) continue;
                string line = File.ReadLines(Path.Combine(task, "status")).First(l => l.StartsWith("voluntary_ctxt_switches", StringComparison.Ordinal));
                sleeps[name] = sleeps.GetValueOrDefault(name) + long.Parse(line.Split(':')[1], CultureInfo.InvariantCulture);
            }
            catch (IOException)
            {
                // A thread that has just ended.
            }
        }
        return sleeps;
    }

    private static async Task BeatsAsync(TestCluster cluster, int count)
    {
        long from = await RequestsAsync(cluster);
        await Eventually.Async(async () => await RequestsAsync(cluster) >= from + count, $"{count} heartbeats of an idle client", () => cluster.Silo(0).Errors);
    }

    private static async Task<long> RequestsAsync(TestCluster cluster) =>
        JsonSerializer.Deserialize((await cluster.GetAsync(0, "/stats")).Text, ReportJson.Default.StatsReport)!.Counters["rum.silo.control.requests"];
}
