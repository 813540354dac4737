namespace Rum.Cli.Bench;

/// <content>The council: allocations by name with one silo that decides, and with three.</content>
internal static partial class BenchCatalog
{
    private static IEnumerable<BenchStep> Council() =>
    [
        CouncilOf(1, "cluster.council.one", null),
        CouncilOf(3, "cluster.council.three", "cluster.council.one"),
    ];

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
