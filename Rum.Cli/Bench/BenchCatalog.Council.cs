namespace Rum.Cli.Bench;

/// <content>The council: allocations by name with one silo that decides, and with three, by many clients and by the threads of one.</content>
internal static partial class BenchCatalog
{
    private static IEnumerable<BenchStep> Council() =>
    [
        CouncilOf(1, "cluster.council.one", null),
        CouncilOf(3, "cluster.council.three", "cluster.council.one"),
        AllocationsOf(1, "cluster.alloc.one"),
        AllocationsOf(3, "cluster.alloc.three"),
    ];

    // One program: a segment made and freed by one thread, and by sixteen.
    private static BenchStep AllocationsOf(int silos, string name) =>
        new([name, name + ".pipelined"], FreeOnly, 1, (context, _) =>
        {
            using BenchCluster cluster = BenchCluster.Start(silos, "udp", null, council: true);
            Dictionary<string, Sample> printed = ByName(context.RunProgram(context.Program("heap"), ["--named", "--peers", cluster.ProcessIds], ("RUM_MACHINES", cluster.MachinesFile), ("RUM_CACHE", "16M")));
            return new Dictionary<string, Sample> { [name] = printed["alloc.named"], [name + ".pipelined"] = printed["alloc.named.pipelined"] };
        });

    private static BenchStep CouncilOf(int silos, string name, string? of) =>
        new([name], FreeOnly, 1, (context, _) => new Dictionary<string, Sample>
        {
            [name] = CouncilBench.RunAsync(silos, TimeSpan.FromSeconds(context.Quick ? 3 : 6)).GetAwaiter().GetResult(),
        })
        {
            Of = _ => of,
            RatioOfRates = true,
        };
}
