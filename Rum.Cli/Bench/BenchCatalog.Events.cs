using System.Text.Json;

namespace Rum.Cli.Bench;

/// <content>What a program sees of a cluster in which something happens: silos that learn beside it, a silo that is killed, and the decree that moves a dead silo's shards.</content>
internal static partial class BenchCatalog
{
    private static readonly string[] StallNames = ["cluster.stall.read", "cluster.stall.write"];

    private static IEnumerable<BenchStep> Events() =>
    [
        new(["cluster.failover"], FreeOnly, 1, static (_, _) => RunFailover()),
        new(StallNames, FreeOnly, 1, RunStalls),
        new(["cluster.learning.bulk", "cluster.learning", "cluster.learning.fault.without", "cluster.learning.fault"], SplitOnly, 1, RunLearning)
        {
            Of = static name => name is "cluster.learning" ? "cluster.learning.bulk" : null,
            RatioOfRates = true,
        },
    ];

    private static Dictionary<string, Sample> RunFailover()
    {
        const int Silos = 5, Rounds = 10;
        const long Bytes = 40L << 30;
        using BenchCluster silos = BenchCluster.Start(Silos, "udp", null, council: true, memory: "20G");
        using var events = new ClusterEvents(silos);
        events.AllocateAsync(Bytes).GetAwaiter().GetResult();
        // Each holds two fifths of the extents.
        return new() { ["cluster.failover"] = events.DieAsync(Rounds, (int)(Bytes / Core.Layout.ExtentSize / Silos)).GetAwaiter().GetResult() };
    }

    // The silos that don't lead the council, by turns. The time is the longest of a run: the median and the longest of all runs.
    private static Dictionary<string, Sample> RunStalls(BenchContext context, BenchLayout layout)
    {
        using BenchCluster silos = BenchCluster.Start(3, "udp", null);
        using var events = new ClusterEvents(silos);
        var longest = new List<double>[] { [], [] };
        var rates = new double[2];
        double steal = 0, foreign = 0;
        int rounds = context.Quick ? 3 : 7;
        for (int round = 0; round < rounds; round++)
        {
            events.HealedAsync().GetAwaiter().GetResult();
            int victim = 1 + (round % 2);
            List<JsonElement> printed = context.RunProgram(
                context.Program("stall"), ["--kill", Text(silos.ProcessId(victim)), "--seconds", "4", "--peers", silos.ProcessIds],
                ("RUM_MACHINES", silos.MachinesFile), ("RUM_TRANSPORT", "udp"), ("RUM_CACHE", "8M"));
            for (int i = 0; i < 2; i++)
            {
                longest[i].Add(printed[i].GetProperty("longest_us").GetDouble());
                Sample sample = BenchContext.ToSample(printed[i]);
                rates[i] += sample.OpsPerSecond / rounds;
                (steal, foreign) = (Math.Max(steal, sample.StealPct), Math.Max(foreign, sample.ForeignPct));
            }
            silos.Restart(victim);
        }
        return Enumerable.Range(0, 2).ToDictionary(i => StallNames[i], i =>
        {
            longest[i].Sort();
            return new Sample(longest[i][longest[i].Count / 2], longest[i][^1], rates[i], steal, foreign);
        });
    }

    // Three silos of which each holds two thirds of everything. What the transport can carry: reads of pages that are in the silos, 32 at a time. The programs' faults, with silos that learn all the
    // time and without, are half of them reads and half writes; what matters of them is the 99th of a hundred.
    private static Dictionary<string, Sample> RunLearning(BenchContext context, BenchLayout layout)
    {
        using BenchCluster silos = BenchCluster.Start(3, "udp", layout.ServerCpu());
        using var events = new ClusterEvents(silos);
        events.FillAsync().GetAwaiter().GetResult();
        Sample Faults() => BenchContext.ToSample(context.RunProgram(
            context.Program("fault"),
            ["--pattern", "mixed", "--mib", "64", "--ops", context.Quick ? "100000" : "300000", "--cpu", Text(layout.ProgramCpu() ?? 0), "--peers", silos.ProcessIds],
            ("RUM_MACHINES", silos.MachinesFile), ("RUM_TRANSPORT", "udp"), ("RUM_COPIES", "2"), ("RUM_CACHE", "8M"))[^1]);

        Sample bulk = BenchContext.ToSample(context.RunRum(
            layout, ["bench", "round-trip", "--machines", silos.MachinesFile, "--transport", "udp", "--depth", "32", "--ops", "200000", "--peers", silos.ProcessIds])[^1]);
        Sample without = Faults();
        Task<Sample> learning = events.LearnAsync();
        Sample beside;
        try
        {
            beside = Faults();
        }
        finally
        {
            events.Enough();
        }
        Sample learned = learning.GetAwaiter().GetResult();
        return new()
        {
            ["cluster.learning.bulk"] = bulk,
            ["cluster.learning"] = learned with { StealPct = beside.StealPct, ForeignPct = beside.ForeignPct },
            ["cluster.learning.fault.without"] = without,
            ["cluster.learning.fault"] = beside,
        };
    }
}
