namespace Rum.Cli.Bench;

/// <content>Slow-down curves: a program with all of its memory local, and with a part of it.</content>
internal static partial class BenchCatalog
{
    /// <summary>Per mille of the memory that is local, as the names say it in percent.</summary>
    public static IReadOnlyList<(string Percent, int PerMille)> Shares { get; } = [("100", 1000), ("50", 500), ("25", 250), ("12.5", 125)];

    private static readonly string[] CurvePatterns = ["sequential", "random", "zipf"];
    private static readonly string[] CurveWorks = ["light", "heavy"];

    private static IEnumerable<BenchStep> Curves() =>
    [
        new(CurveNames("local"), SplitOnly, 1, (context, layout) => ByName(context.RunProgram(
            context.Program("curve"), CurveArguments(context, layout, "local", "local")))),
        .. Shares.Select(share => new BenchStep(CurveNames(share.Percent), SplitOnly, 1, (context, layout) => Curve(context, layout, share.Percent, share.PerMille))
        {
            Of = name => name[..^share.Percent.Length] + "local",
            RatioOfRates = true,
        }),
    ];

    private static string[] CurveNames(string suffix) =>
        [.. from pattern in CurvePatterns from work in CurveWorks select $"curve.{pattern}.{work}.{suffix}"];

    private static Dictionary<string, Sample> Curve(BenchContext context, BenchLayout layout, string percent, int perMille)
    {
        BenchServer silo = context.Server("silo", layout);
        // All local: room for what the heap keeps beside the region.
        int cacheKib = perMille == 1000 ? (context.CurveMib + 8) * 1024 : context.CurveMib * 1024 * perMille / 1000;
        return ByName(context.RunProgram(
            context.Program("curve"), [.. CurveArguments(context, layout, "remote", percent), "--peers", Text(silo.ProcessId)],
            ("RUM_MACHINES", silo.MachinesFile), ("RUM_TRANSPORT", "shm"), ("RUM_CACHE", Text(cacheKib) + "K")));
    }

    private static List<string> CurveArguments(BenchContext context, BenchLayout layout, string memory, string suffix) =>
        ["--memory", memory, "--suffix", suffix, "--mib", Text(context.CurveMib), "--seconds", context.Quick ? "0.2" : "0.7", "--cpu", Text(layout.ProgramCpu() ?? 0)];
}
