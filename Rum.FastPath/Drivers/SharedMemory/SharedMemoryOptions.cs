namespace Rum.FastPath.Drivers.SharedMemory;

/// <summary>Settings of a <see cref="SharedMemoryServerDriver"/>.</summary>
public sealed record SharedMemoryOptions
{
    /// <summary>Entries per ring, a power of two. 128 pages in flight are 549 KB a direction: they stay in a core's L2 cache.</summary>
    public int RingEntries { get; init; } = 128;

    /// <summary>Clients served at once; more are refused.</summary>
    public int ConnectionsMax { get; init; } = 64;

    /// <summary>
    /// How long a client's ring may stay full before its answers are dropped (it asks again) instead of holding up the other clients'.
    /// More than a scheduler slice, so that a client that merely waits for its CPU loses nothing.
    /// </summary>
    public long StallNs { get; init; } = 20_000_000;
}
