namespace Rum.Cli.Bench;

/// <summary>One thing to measure: a program run that yields one or more named samples.</summary>
/// <param name="Names">The figures that it yields.</param>
/// <param name="Layouts">The layouts in which it is worth measuring.</param>
/// <param name="Threads">Threads of the program.</param>
/// <param name="Run">Takes one sample per name.</param>
internal sealed record BenchStep(
    string[] Names,
    BenchLayout[] Layouts,
    int Threads,
    Func<BenchContext, BenchLayout, IReadOnlyDictionary<string, Sample>> Run)
{
    /// <summary>The figure that one of its figures is a ratio of (same layout if measured there, else any; one thread), by p50 or by rate.</summary>
    public Func<string, string?> Of { get; init; } = _ => null;

    /// <summary>Whether the ratio compares rates (higher is better) instead of medians.</summary>
    public bool RatioOfRates { get; init; }

    /// <summary>The layouts that <c>--quick</c> measures it in, unless asked for by name.</summary>
    public BenchLayout[] Quick { get; init; } = [];

    /// <summary>Why the step can't run on this machine, or null.</summary>
    public Func<string?> Missing { get; init; } = () => null;

    /// <summary>Names and threads, for progress and for what could not be measured.</summary>
    public string Title => (Names.Length == 1 ? Names[0] : $"{Names[0]} ..") + (Threads > 1 ? $" {Threads} threads" : "");
}
