using Rum.Cli.Planes;

namespace Rum.Cli.Bench;

/// <content>The Orleans plane: a grain call, a named segment made and freed by grains, one after the other and 63 at a time, and the heartbeats of 10,000 sessions.</content>
internal static partial class BenchCatalog
{
    private static readonly BenchLayout[] FreeOnly = [BenchLayout.Free];

    private static readonly string[] OrleansNames =
        ["orleans.call", "orleans.create_free", "orleans.create_free.fsync", "orleans.create_free.pipelined", "orleans.heartbeats.cpu_us_per_s"];

    private static IEnumerable<BenchStep> GrainCalls() =>
    [
        new(OrleansNames, FreeOnly, 1, Orleans)
        {
            Of = name => name == "orleans.create_free" ? "orleans.call" : null,
            Missing = () => PlaneCatalog.HasOrleans ? null : "Orleans is not in this build: its packages could not be restored",
        },
    ];

    private static Dictionary<string, Sample> Orleans(BenchContext context, BenchLayout layout)
    {
        BenchServer silo = context.Server("orleans", layout);
        return ByName(context.RunRum(layout, ["bench", "orleans", "--machines", silo.MachinesFile, "--http", silo.Http, "--peers", Text(silo.ProcessId)]));
    }
}
