namespace Rum.Cli.Bench;

/// <content>Calls: the heap, allocations, the .NET client, and what a silo and a client cost that do nothing.</content>
internal static partial class BenchCatalog
{
    private static readonly string[] HeapNames = ["heap.64", "heap.4096", "alloc.1m", "alloc.named", "alloc.named.pipelined", "open.1m", "open.1g"];
    private static readonly string[] ClientNames = ["client.tryPin", "client.read", "client.read.far"];

    private static IEnumerable<BenchStep> Calls() =>
    [
        new(HeapNames, OneOnly, 1, Heap)
        {
            Of = name => name switch { "heap.64" => "malloc.64", "heap.4096" => "malloc.4096", "open.1g" => "open.1m", _ => null },
            Quick = OneOnly,
        },
        new(ClientNames, SplitOnly, 1, Client)
        {
            Of = name => name switch { "client.read" => "memcpy", "client.read.far" => "fault.read.shm", _ => null },
            Quick = SplitOnly,
        },
        new(["idle.cpu_us_per_s"], SplitOnly, 1, Idle),
    ];

    private static Dictionary<string, Sample> Heap(BenchContext context, BenchLayout layout)
    {
        BenchServer silo = context.Server("silo", layout);
        return ByName(context.RunProgram(context.Program("heap"), ["--cpu", Text(layout.ProgramCpu() ?? 0), "--peers", Text(silo.ProcessId)],
            ("RUM_MACHINES", silo.MachinesFile), ("RUM_CACHE", Text(context.CacheMib) + "M")));
    }

    private static Dictionary<string, Sample> Client(BenchContext context, BenchLayout layout)
    {
        BenchServer silo = context.Server("silo", layout);
        return ByName(context.RunRum(layout, ["bench", "client", "--machines", silo.MachinesFile, "--mib", Text(context.Mib),
            "--cache-mib", Text(context.CacheMib), "--peers", Text(silo.ProcessId)]));
    }

    private static Dictionary<string, Sample> Idle(BenchContext context, BenchLayout layout)
    {
        BenchServer silo = context.Server("silo", layout);
        return new()
        {
            ["idle.cpu_us_per_s"] = BenchContext.ToSample(context.RunProgram(context.Program("fault"),
                ["--pattern", "idle", "--mib", "32", "--ops", Text(context.Quick ? 5 : 20), "--peers", Text(silo.ProcessId)],
                ("RUM_MACHINES", silo.MachinesFile), ("RUM_TRANSPORT", "shm"), ("RUM_CACHE", "8M"))[^1]),
        };
    }
}
