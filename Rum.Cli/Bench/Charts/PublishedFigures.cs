namespace Rum.Cli.Bench.Charts;

/// <summary>
/// What others published, for orientation: throughput with half of the memory local, of all local. Their programs (a data frame, a key-value store) and their
/// hardware (whole servers, RDMA or kernel-bypass networks of 25 to 100 Gb/s) are other ones than ours: two virtual CPUs and a silo on the same machine.
/// </summary>
internal static class PublishedFigures
{
    /// <summary>Name, source, and the share of the throughput with all memory local.</summary>
    public static IReadOnlyList<(string Name, string Source, double AtHalf)> Systems { get; } =
    [
        ("AIFM", "OSDI 2020; rewritten programs", 0.83),
        ("Eden", "NSDI 2025; programs with hints", 0.77),
        ("Fastswap", "EuroSys 2020; unchanged programs", 0.38),
    ];
}
