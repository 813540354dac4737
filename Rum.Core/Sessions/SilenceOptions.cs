namespace Rum.Core.Sessions;

/// <summary>From when on a silo counts as silent. Nanoseconds of observed time (<see cref="ObservedClock"/>).</summary>
public sealed record SilenceOptions
{
    /// <summary>Without a sign of its page thread.</summary>
    public long SuspectNs { get; init; } = 1_000_000_000;

    /// <summary>Without a sign after somebody else doubted it. Shorter makes a living silo on a bad network pay for a wrong suspicion, as the simulation of signs shows.</summary>
    public long ProbeNs => SuspectNs * 4 / 5;

    /// <summary>Without progress of its control plane, though its page thread speaks. Longer: threads of a pool wait for each other on a busy machine, and pages go on meanwhile.</summary>
    public long HungNs => Math.Max(10_000_000_000, 10 * SuspectNs);

    /// <summary>For one that has only joined: its page thread speaks once it has a view.</summary>
    public long JoiningNs => Math.Max(5_000_000_000, SuspectNs);

    /// <summary>After so long without a lapse the next one counts as the first.</summary>
    public long CalmNs { get; init; } = 600_000_000_000;

    /// <summary>How long a silo that was silent must speak before it counts as living: not at all the first time, then for ever longer, up to a minute.</summary>
    public long ProbationNs(int lapses) => lapses <= 1 ? 0 : Math.Min(60_000_000_000, SuspectNs << Math.Min(lapses - 2, 10));
}
