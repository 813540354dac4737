namespace Rum.FastPath.Server;

/// <summary>Limits of a <see cref="PageServer"/>.</summary>
public sealed record PageServerOptions
{
    /// <summary>Pages that all sessions together may have outstanding; shared out among those that were active lately.</summary>
    public int CreditsTotal { get; init; } = 2048;

    /// <summary>The most that one session gets: no more than a shared-memory ring holds, so that its answers always find room.</summary>
    public int CreditsMax { get; init; } = 128;

    /// <summary>The least that one session gets.</summary>
    public int CreditsMin { get; init; } = 16;

    /// <summary>Operations and control answers that may wait for the data thread.</summary>
    public int QueueMax { get; init; } = 4096;

    /// <summary>After this time without a missing fragment, a half-received message is forgotten. Nanoseconds.</summary>
    public long AssemblyAgeNsMax { get; init; } = 2_000_000_000;

    /// <summary>The way to another silo over the first driver, for learning from it; null: there is none. Called by whoever sets a view.</summary>
    public Func<Core.Council.Member, Drivers.PeerAddress?> PeerOf { get; init; } = static _ => null;

    /// <summary>Pages that a learner asks for per millisecond at most: the rest of the wire is the clients'.</summary>
    public int LearnedPagesPerMs { get; init; } = 64;

    /// <summary>Called, on the data thread, when a shard was learned: see <see cref="PageServer.Learned"/>. Must be quick.</summary>
    public Action? ShardLearned { get; init; }

    /// <summary>Called, on the data thread, when a request shows that there is a newer view; at most once in 20 ms. Must be quick.</summary>
    public Action? ViewIsBehind { get; init; }

    /// <summary>A rule that isn't kept, so that the simulator's checkers can show that they see it. None outside of tests.</summary>
    public ReplicaDefect Defect { get; init; }

    /// <summary>How long a driver may refuse answers before they are dropped; longer than a scheduler slice, and than what a driver itself waits. Nanoseconds.</summary>
    public long BackPressureNsMax { get; init; } = 50_000_000;
}
