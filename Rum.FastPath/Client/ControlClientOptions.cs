using Rum.FastPath.Drivers;

namespace Rum.FastPath.Client;

/// <summary>Times of a <see cref="ControlClient"/>, and what a simulator replaces.</summary>
public sealed record ControlClientOptions
{
    /// <summary>The first time before a resend, and the shortest, nanoseconds. A council waits for its disk before it answers.</summary>
    public long ResendNsMin { get; init; } = 20_000_000;

    /// <summary>The longest time before a resend, nanoseconds.</summary>
    public long ResendNsMax { get; init; } = 1_000_000_000;

    /// <summary>After this many resends without an answer the next address is tried too.</summary>
    public int ResendsPerAddress { get; init; } = 3;

    /// <summary>Reads from a NotLeader answer who is; null or no address: the next one is tried.</summary>
    public Func<byte[], PeerAddress?>? LeaderOf { get; init; }

    /// <summary>The clock; null: <see cref="Linux.MonotonicClock"/>.</summary>
    public Func<long>? ClockNs { get; init; }

    /// <summary>Lets at most so many nanoseconds pass, or until something may have come; null: blocks on the driver's descriptor.</summary>
    public Action<long>? Wait { get; init; }
}
