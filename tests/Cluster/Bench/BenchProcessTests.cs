using System.Text.Json;
using Rum.Cli.Bench;
using Rum.Tests;

namespace Rum.Cluster.Tests.Bench;

/// <summary>The real <c>rum bench</c> with the programs that make built.</summary>
public sealed class BenchProcessTests
{
    private const int SecondsMax = 240;
    private static readonly string Built = Path.Combine(Repository.Root, "out");

    private static RumProcess Start(params string[] arguments)
    {
        if (!File.Exists(Path.Combine(Built, "bin", "bench", "curve"))) Assert.Skip("out/bin/bench is not built; run make");
        return RumProcess.Start(["bench", "--out", Built, .. arguments]);
    }

    [Fact]
    public async Task OneObjectALine()
    {
        using RumProcess rum = Start("--quick", "--only", "memcpy,floor.pager", "--json");
        Assert.True(await rum.ExitAsync(SecondsMax) == 0, rum.Errors);
        JsonElement[] figures = [.. rum.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];
        string[] names = [.. figures.Select(figure => figure.GetProperty("name").GetString()!)];
        Assert.True(names is ["memcpy", "floor.pager", "floor.pager.write", "floor.pager.inline", "floor.pager.mixed"], $"{string.Join(' ', names)}: {rum.Errors}");
        foreach (JsonElement figure in figures)
        {
            Assert.Equal("one", figure.GetProperty("layout").GetString());
            Assert.Equal(1, figure.GetProperty("threads").GetInt32());
            double p50 = figure.GetProperty("p50_us").GetDouble();
            Assert.InRange(p50, 0.001, 1e6);
            Assert.InRange(figure.GetProperty("p99_us").GetDouble(), p50, 1e7);
            Assert.InRange(figure.GetProperty("ops_per_s").GetDouble(), 1, 1e9);
            Assert.InRange(figure.GetProperty("steal_pct").GetDouble(), 0, 100);
            Assert.Contains(figure.GetProperty("ratio").ValueKind, new[] { JsonValueKind.Null, JsonValueKind.Number });
            Assert.Contains(figure.GetProperty("of").ValueKind, new[] { JsonValueKind.Null, JsonValueKind.String });
        }
    }

    [Fact]
    public async Task StoppedItKeepsWhatItMeasured()
    {
        using var directory = new TemporaryDirectory();
        using RumProcess rum = Start("--only", "memcpy,floor", "--repeats", "1", "--charts", directory.Path);
        await Eventually.Async(() => rum.Output.Contains("| memcpy"), "the first figure's line while others are measured", () => rum.Errors);
        Assert.Equal(130, await rum.StopAsync());
        Assert.Contains("stopped before the end", rum.Errors);
        Assert.True(File.Exists(Path.Combine(directory.Path, "throughput.svg")), rum.Output);
    }

    [Fact]
    public async Task KilledItLeavesNoServer()
    {
        using RumProcess rum = Start("--only", "rtt.shm", "--repeats", "9");
        int silo = 0;
        // Kept from when there is a process that puts it away; a kill in the moment before would leave it.
        await Eventually.Async(() => (silo = ChildOf(rum.Id, "silo\0run")) != 0 && ChildOf(rum.Id, $"keeper\0{silo}\0") != 0 || rum.HasExited, "the benchmark's silo", () => rum.Errors);
        await rum.KillAsync();
        await Eventually.Async(() => !File.Exists($"/proc/{silo}/cmdline") || File.ReadAllText($"/proc/{silo}/cmdline").Length == 0, $"the end of the silo {silo}", () => rum.Errors);
    }

    [Fact]
    public async Task KilledItLeavesNoSwapDevice()
    {
        if (SwapArea.WhyNot() is { } why) Assert.Skip(why);
        using RumProcess rum = Start("--quick", "--only", "peer.zram.read", "--repeats", "9");
        string? device = null, group = null;
        await Eventually.Async(() => rum.HasExited || Keeper(rum.Id, out device, out group) && File.ReadAllText("/proc/swaps").Contains(device!), "swap to the benchmark's device", () => rum.Errors);
        Assert.True(device is not null && Directory.Exists(group), rum.Errors);
        await rum.KillAsync();
        await Eventually.Async(() => !Directory.Exists(group) && !Directory.Exists("/sys/block/" + Path.GetFileName(device)), $"the end of {device} and {group}", () => rum.Errors);
        Assert.DoesNotContain(device, File.ReadAllText("/proc/swaps"));
    }

    /// <summary>What the shell of this process would put away: its swap device and its control group.</summary>
    private static bool Keeper(int parent, out string? device, out string? group)
    {
        (device, group) = (null, null);
        foreach (string process in Directory.EnumerateDirectories("/proc").Where(path => int.TryParse(Path.GetFileName(path), out _)))
        {
            try
            {
                string[] words = File.ReadAllText(process + "/cmdline").Split('\0');
                group = Array.Find(words, word => word.EndsWith($"/rum-bench-{parent}", StringComparison.Ordinal));
                device = Array.Find(words, word => word.StartsWith("/dev/zram", StringComparison.Ordinal));
                if (group is not null && device is not null) return true;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It has ended.
            }
        }
        return false;
    }

    /// <summary>The process id of a child with this in its command line, 0 where there is none yet.</summary>
    private static int ChildOf(int parent, string said)
    {
        foreach (string path in Directory.EnumerateDirectories($"/proc/{parent}/task").SelectMany(task => Children(task)))
        {
            if (!int.TryParse(path, out int child)) continue;
            try
            {
                if (File.ReadAllText($"/proc/{child}/cmdline").Contains(said)) return child;
            }
            catch (IOException)
            {
                // It has ended.
            }
        }
        return 0;

        static string[] Children(string task) => File.Exists(Path.Combine(task, "children")) ? File.ReadAllText(Path.Combine(task, "children")).Split(' ') : [];
    }

    [Fact]
    public async Task AnUnknownNameIsAUsageErrorThatListsTheNames()
    {
        using RumProcess rum = Start("--only", "flor");
        Assert.Equal(2, await rum.ExitAsync());
        Assert.Contains("nothing is called flor; there are kernel.touch, memcpy", rum.Errors);
    }
}
