using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Rum.Cluster.Tests.Programs;
using Rum.Silo.Reporting;

namespace Rum.Cluster.Tests.Processes;

/// <summary>
/// <c>make chaos</c>: five silos and three programs as processes, and for a bounded time one fault after the other: kill -9 of any silo and of the one that leads the
/// council, SIGSTOP, drains, joins, and silos that nobody hears where the network is our own. A fault that can take a copy waits until all copies are there.
/// </summary>
public sealed partial class ChaosTests
{
    private const int Silos = 5, Clients = 3;

    private readonly int _seconds = int.TryParse(Environment.GetEnvironmentVariable("RUM_CHAOS_SECONDS"), out int seconds) ? seconds : 0;
    private readonly int _seed = int.TryParse(Environment.GetEnvironmentVariable("RUM_CHAOS_SEED"), out int seed) ? seed : Environment.TickCount & 0xFFFF;
    private readonly bool _busy = Environment.GetEnvironmentVariable("RUM_CHAOS_BUSY") == "yes";
    private readonly bool _ownNetwork = Environment.GetEnvironmentVariable("RUM_CHAOS_NETWORK") == "own";
    private readonly StreamWriter _log = OpenLog();
    private readonly Stopwatch _since = Stopwatch.StartNew();

    [Fact]
    public async Task Programs_see_nothing_but_time()
    {
        if (_seconds == 0 || _busy) Assert.Skip("it is run by make chaos");
        var random = new Random(_seed);
        Say($"seed {_seed}, {_seconds} s, {Silos} silos, {Clients} programs with 2 copies of each page{(_ownNetwork ? ", partitions by nftables" : ", no partitions: the network is not ours")}");
        using var directory = new TemporaryDirectory();
        using var cluster = new TestCluster(Silos) { Seats = true, Memory = "512M", CouncilMemory = "512M" };
        for (int silo = 0; silo < Silos - 1; silo++) cluster.Start(silo);
        for (int silo = 0; silo < Silos - 1; silo++) await cluster.ReadyAsync(silo);
        string program = NativeProgram.CompileOwn("replicas", directory);
        var clients = new List<NativeProgram>();
        int faults = 0;
        try
        {
            for (int client = 0; client < Clients; client++)
            {
                var environment = new Dictionary<string, string> { ["RUM_MACHINES"] = cluster.Machines, ["RUM_CACHE"] = "4M", ["RUM_COPIES"] = "2" };
                clients.Add(NativeProgram.Start(program, environment, $"{_seed + client}"));
            }
            foreach (NativeProgram client in clients) await client.WaitForAsync("filled");
            Say("filled; the last silo joins");
            await StartAsync(cluster, Silos - 1);
            await HealedAsync(cluster, clients);
            for (Stopwatch run = Stopwatch.StartNew(); run.Elapsed.TotalSeconds < _seconds;)
            {
                await FaultAsync(cluster, random);
                faults++;
                await HealedAsync(cluster, clients);
                if (faults % 3 == 0) clients[random.Next(Clients)].Say("flush");
            }
            Say("calm; the programs look through everything");
            foreach (NativeProgram client in clients) client.Say("stop");
            foreach (NativeProgram client in clients) Assert.True(await client.ExitAsync(120) == 0, client.Output);
            Assert.Equal(0, (await StatusAsync(cluster))!.Shards.Lost);
            Say($"faults={faults} operations={Sum(clients, "operations")} bytes_verified={Sum(clients, "bytes_verified")} "
                + $"longest_read_stall_ms={Max(clients, "longest_read_stall_ms")} longest_write_stall_ms={Max(clients, "longest_write_stall_ms")} lost: 0");
        }
        catch (Exception failure)
        {
            foreach (NativeProgram client in clients) Say("a program said: " + client.Output);
            for (int silo = 0; silo < Silos; silo++) Say($"silo {silo} at {cluster.Address(silo)} said: {cluster.Silo(silo).Errors}");
            Say($"FAILED after {faults} faults, seed {_seed}: {failure.Message}");
            throw;
        }
        finally
        {
            foreach (NativeProgram client in clients) client.Dispose();
            await _log.DisposeAsync();
        }
    }

    private async Task FaultAsync(TestCluster cluster, Random random)
    {
        int leader = await LeaderAsync(cluster), silo = random.Next(Silos);
        switch (random.Next(_ownNetwork ? 6 : 5))
        {
            case 0:
            case 1:
                await KillAsync(cluster, silo, random, silo == leader ? "kill -9 of the leader," : "kill -9 of");
                break;
            case 2:
                await KillAsync(cluster, leader, random, "kill -9 of the leader,");
                break;
            case 3:
                int stalled = random.Next(100, 5000);
                Say($"SIGSTOP of silo {silo} for {stalled} ms");
                using (cluster.Silo(silo).Stall()) await Task.Delay(stalled);
                break;
            case 4:
                Say($"drain of silo {silo}, then it joins again");
                (int exit, string output, string errors) = await RumProcess.RunAsync("silo", "drain", cluster.Address(silo).ToString(), "--machines", cluster.Machines);
                Assert.True(exit == 0 && output.Contains("safe to stop"), output + errors);
                await cluster.Silo(silo).KillAsync();
                await StartAsync(cluster, silo);
                break;
            default:
                int cut = random.Next(100, 5000), side = random.Next(3);
                string[] ways = side switch { 0 => ["dport"], 1 => ["sport"], _ => ["dport", "sport"] };
                Say($"silo {silo} cut off for {cut} ms ({string.Join(" and ", ways)})");
                foreach (string way in ways) Nft($"add rule inet chaos input udp {way} {cluster.Address(silo).Port} drop");
                await Task.Delay(cut);
                Nft("flush chain inet chaos input");
                break;
        }
    }

    private async Task KillAsync(TestCluster cluster, int silo, Random random, string how)
    {
        // Back before anybody misses it, or long after.
        int away = random.Next(2) == 0 ? 0 : random.Next(500, 8000);
        Say($"{how} silo {silo}, back after {away} ms");
        await cluster.Silo(silo).KillAsync();
        await Task.Delay(away);
        await StartAsync(cluster, silo);
    }

    private static async Task StartAsync(TestCluster cluster, int silo)
    {
        cluster.Start(silo);
        await cluster.ReadyAsync(silo);
    }

    private static async Task HealedAsync(TestCluster cluster, List<NativeProgram> clients)
    {
        ClusterReport? last = null;
        await Eventually.Async(
            async () =>
            {
                foreach (NativeProgram client in clients) Assert.False(client.HasExited, client.Output);
                last = await StatusAsync(cluster);
                return last is { Shards: { Incomplete: 0, Learning: 0 } } && last.Silos.Count(silo => silo.State == "up") == Silos
                    && last.Council.Count(seat => seat.Role != "candidate" && seat.AnsweredMs < 1000 && seat.Behind == 0) == 3;
            },
            "every shard with its copies in sync, and a whole council", () => $"{last} {string.Join(", ", last?.Council ?? [])}");
    }

    private static async Task<int> LeaderAsync(TestCluster cluster)
    {
        string endpoint = (await StatusAsync(cluster))!.Council.Single(seat => seat.Role == "leader").Endpoint;
        return Enumerable.Range(0, Silos).Single(silo => cluster.Address(silo).ToString() == endpoint);
    }

    // Between two leaders nobody can say.
    private static async Task<ClusterReport?> StatusAsync(TestCluster cluster)
    {
        (int exit, string output, _) = await RumProcess.RunAsync("status", "--machines", cluster.Machines, "--json");
        return exit == 0 ? System.Text.Json.JsonSerializer.Deserialize(output, ReportJson.Default.ClusterReport) : null;
    }

    private static long Sum(List<NativeProgram> clients, string name) => clients.Sum(client => Number(client, name));

    private static long Max(List<NativeProgram> clients, string name) => clients.Max(client => Number(client, name));

    private static long Number(NativeProgram client, string name)
    {
        Match match = Figure().Matches(client.Output).Last(m => m.Groups[1].Value == name);
        return long.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture);
    }

    private static void Nft(string command)
    {
        using Process nft = Process.Start(new ProcessStartInfo("nft", command.Split(' ')) { RedirectStandardError = true })!;
        string errors = nft.StandardError.ReadToEnd();
        nft.WaitForExit();
        Assert.True(nft.ExitCode == 0, $"nft {command}: {errors}");
    }

    private static StreamWriter OpenLog() =>
        Environment.GetEnvironmentVariable("RUM_CHAOS_LOG") is { Length: > 0 } path ? new StreamWriter(path, append: true) { AutoFlush = true } : StreamWriter.Null;

    private void Say(string line) => _log.WriteLine(line.StartsWith("faults=", StringComparison.Ordinal) || line.StartsWith("busy_", StringComparison.Ordinal) ? line : $"{_since.Elapsed.TotalSeconds,6:F1} {line}");

    [GeneratedRegex(@"(\w+)=(\d+)")]
    private static partial Regex Figure();
}
