namespace Rum.Cli.Bench;

/// <summary>One run's figures.</summary>
/// <param name="P50Us">Median of one operation in microseconds, 0 where only a rate was measured.</param>
/// <param name="P99Us">99th percentile in microseconds.</param>
/// <param name="OpsPerSecond">Operations in a second.</param>
/// <param name="StealPct">Time the hypervisor took from this machine, in percent.</param>
/// <param name="ForeignPct">Time that processes outside the measurement used, in percent of all CPUs.</param>
public readonly record struct Sample(double P50Us, double P99Us, double OpsPerSecond, double StealPct, double ForeignPct)
{
    /// <summary>Steal above this spoils a run.</summary>
    public const double MaxStealPct = 3;

    /// <summary>Foreign CPU time above this spoils a run.</summary>
    public const double MaxForeignPct = 10;

    /// <summary>Whether the machine was busy with something else.</summary>
    public bool Disturbed => StealPct > MaxStealPct || ForeignPct > MaxForeignPct;
}
