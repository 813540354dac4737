using System.Globalization;
using System.Text.Json;

namespace Rum.Cli.Bench;

/// <summary>Everything that <c>rum bench</c> measures, in the order in which it is measured: floors, RUM, its calls, peers, curves.</summary>
internal static partial class BenchCatalog
{
    private static readonly BenchLayout[] Everywhere = [BenchLayout.One, BenchLayout.Split, BenchLayout.Free];
    private static readonly BenchLayout[] Pinned = [BenchLayout.One, BenchLayout.Split];
    private static readonly BenchLayout[] SplitOnly = [BenchLayout.Split];
    private static readonly BenchLayout[] OneOnly = [BenchLayout.One];

    // Lazy: fields of the other parts of this class come after these.
    private static readonly Lazy<BenchStep[]> AllSteps = new(
        () => [.. Floors(), .. RoundTrips(), .. Faults(), .. Scans(), .. Dpdk(), .. Calls(), .. GrainCalls(), .. Council(), .. Replicas(), .. Events(), .. Peers(), .. Curves()]);

    public static IReadOnlyList<BenchStep> Steps => AllSteps.Value;

    private static IEnumerable<BenchStep> Floors() =>
    [
        new(["kernel.touch", "memcpy", "malloc.64", "malloc.4096"], OneOnly, 1, Machine) { Quick = OneOnly },
        Fault(["floor.pager"], "read", "floor", OneOnly, OneOnly, null),
        Fault(["floor.pager.write"], "write", "floor", OneOnly, OneOnly, null),
        Fault(["floor.pager.inline"], "read", "floor", OneOnly, OneOnly, "floor.pager", fault: Inline),
        Fault(["floor.pager.mixed"], "mixed", "floor", OneOnly, [], null),
        Fault(["floor.scan"], "scan", "floor", OneOnly, OneOnly, "memcpy", rates: true),
    ];

    private static Dictionary<string, Sample> Machine(BenchContext context, BenchLayout layout) =>
        ByName(context.RunProgram(context.Program("floor"), ["--cpu", Text(layout.ProgramCpu() ?? 0)]));

    private static Dictionary<string, Sample> ByName(IEnumerable<JsonElement> printed) =>
        printed.ToDictionary(one => one.GetProperty("name").GetString()!, BenchContext.ToSample);

    internal static bool OnPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(directory => File.Exists(Path.Combine(directory, program)));

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
