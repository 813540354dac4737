using System.Text.Json.Serialization;
using Rum.Silo.Reporting;

namespace Rum.Cli.Demo;

/// <summary>The demo's figures, as artifacts/demo/summary.json has them. Field names are read by others: add, never rename.</summary>
internal sealed record DemoSummary(
    int SchemaVersion,
    string Plane,
    string Transport,
    long VerifiedBytes,
    long WrongBytes,
    long CacheBytes,
    long Faults,
    double PagesPerSecond,
    double FillPagesPerSecond,
    FaultTimes FaultUs,
    long WireBytes,
    double BusiestOverMean,
    IReadOnlyList<SiloLoad> Silos)
{
    public static DemoSummary From(DemoOptions options, DemoProgram program, IReadOnlyList<StatsReport> stats)
    {
        List<SiloLoad> silos = [.. stats.Select(Load)];
        return new DemoSummary(
            1,
            options.Plane,
            options.Transport,
            program.VerifiedBytes,
            program.WrongBytes,
            (long)options.CacheMib << 20,
            program.LibraryFaults >= 0 ? program.LibraryFaults : program.Faults.Total,
            Rate(program, "verify"),
            Rate(program, "fill"),
            new FaultTimes(program.Faults.PercentileUs(0.5), program.Faults.PercentileUs(0.99), program.Faults.PercentileUs(0.999)),
            silos.Sum(s => s.BytesSent + s.BytesReceived),
            silos.Sum(Pages) == 0 ? 1 : Math.Round(silos.Max(Pages) / silos.Average(Pages), 3),
            silos);
    }

    private static double Pages(SiloLoad silo) => silo.PagesRead + silo.PagesWritten;

    private static SiloLoad Load(StatsReport stats) => new(
        stats.Silo,
        stats.Counters.GetValueOrDefault("rum.silo.pages"),
        stats.Counters.GetValueOrDefault("rum.silo.pages.read"),
        stats.Counters.GetValueOrDefault("rum.silo.pages.written"),
        stats.Counters.Where(c => c.Key.EndsWith(".bytes.sent", StringComparison.Ordinal)).Sum(c => c.Value),
        stats.Counters.Where(c => c.Key.EndsWith(".bytes.received", StringComparison.Ordinal)).Sum(c => c.Value));

    private static double Rate(DemoProgram program, string phase) =>
        program.Phases.TryGetValue(phase, out (long Pages, double Seconds) it) && it.Seconds > 0 ? Math.Round(it.Pages / it.Seconds) : 0;
}

/// <summary>Percentiles in microseconds.</summary>
internal sealed record FaultTimes(double P50, double P99, double P999);

/// <summary>What a silo did; its wire bytes include headers.</summary>
internal sealed record SiloLoad(string Name, long PagesStored, long PagesRead, long PagesWritten, long BytesSent, long BytesReceived);

/// <summary>The serializer, generated at build time.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(DemoSummary))]
internal sealed partial class DemoJson : JsonSerializerContext;
