using Rum.Cli.Planes;

namespace Rum.Cli.Bench;

/// <content>The Orleans plane: a grain call, a named segment made and freed by grains, one after the other and 63 at a time, the heartbeats of 10,000 sessions, and faults beside grains that work as hard as they can.</content>
internal static partial class BenchCatalog
{
    private static readonly BenchLayout[] FreeOnly = [BenchLayout.Free];

    private static readonly string[] OrleansNames =
        ["orleans.call", "orleans.create_free", "orleans.create_free.fsync", "orleans.create_free.pipelined", "orleans.heartbeats.cpu_us_per_s"];

    private static readonly string[] SaturatedNames = ["orleans.fault.read", "orleans.fault.read.saturated"];

    private static IEnumerable<BenchStep> GrainCalls() =>
    [
        new(OrleansNames, FreeOnly, 1, Orleans)
        {
            Of = name => name == "orleans.create_free" ? "orleans.call" : null,
            Missing = WithoutOrleans,
        },
        new(SaturatedNames, SplitOnly, 1, Saturated)
        {
            Of = name => name == SaturatedNames[1] ? SaturatedNames[0] : null,
            Missing = WithoutOrleans,
        },
    ];

    private static string? WithoutOrleans() => PlaneCatalog.HasOrleans ? null : "Orleans is not in this build: its packages could not be restored";

    private static Dictionary<string, Sample> Orleans(BenchContext context, BenchLayout layout)
    {
        BenchServer silo = context.Server("orleans", layout);
        return ByName(context.RunRum(layout, ["bench", "orleans", "--machines", silo.MachinesFile, "--http", silo.Http, "--peers", Text(silo.ProcessId)]));
    }

    // In turn, against the same silo. The client of the grains is on the silo's CPU: it is the silo that is to be short of time, not the program.
    private static Dictionary<string, Sample> Saturated(BenchContext context, BenchLayout layout)
    {
        BenchServer silo = context.Server("orleans", layout);
        var taken = SaturatedNames.ToDictionary(name => name, _ => new List<Sample>());
        for (int turn = 0; turn < 3; turn++)
        {
            taken[SaturatedNames[0]].Add(RunFault(context, layout, "read", "shm", 1, Handler, against: (silo, Text(silo.ProcessId))));
            using BenchLoad load = context.Load(layout.ServerCpu(), ["bench", "orleans", "--machines", silo.MachinesFile, "--http", silo.Http, "--load"]);
            taken[SaturatedNames[1]].Add(RunFault(context, layout, "read", "shm", 1, Handler, against: (silo, $"{Text(silo.ProcessId)},{Text(load.ProcessId)}")));
            load.CheckRuns();
        }
        return taken.ToDictionary(one => one.Key, one => one.Value.OrderBy(sample => sample.P99Us).ElementAt(one.Value.Count / 2));
    }
}
