namespace Rum.Cli.Bench;

/// <summary>One thing to measure: a program run that yields one or more named samples.</summary>
/// <param name="Name">The figure's name, or the common prefix where a run yields several.</param>
/// <param name="Layouts">The layouts in which it is worth measuring.</param>
/// <param name="Threads">Threads of the program.</param>
/// <param name="Run">Takes one sample per name.</param>
internal sealed record BenchStep(
    string Name,
    BenchLayout[] Layouts,
    int Threads,
    Func<BenchContext, BenchLayout, IReadOnlyDictionary<string, Sample>> Run)
{
    /// <summary>The figure that this one is a ratio of (same layout if measured there, else any), by p50 or by rate.</summary>
    public string? Of { get; init; }

    /// <summary>Whether the ratio compares rates (higher is better) instead of medians.</summary>
    public bool RatioOfRates { get; init; }

    /// <summary>Left out by <c>--quick</c>.</summary>
    public bool Slow { get; init; }

    /// <summary>Why the step can't run on this machine, or null.</summary>
    public Func<BenchContext, string?> Missing { get; init; } = _ => null;
}
