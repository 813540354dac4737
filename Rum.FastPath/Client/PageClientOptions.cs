namespace Rum.FastPath.Client;

/// <summary>Limits and times of a <see cref="PageClient"/>.</summary>
public sealed record PageClientOptions
{
    /// <summary>Requests that may be outstanding.</summary>
    public int Requests { get; init; } = 512;

    /// <summary>Half-received pages at once; more are dropped and asked for again.</summary>
    public int AssembliesMax { get; init; } = 256;

    /// <summary>Pages outstanding at a silo before its first answer says how many it allows.</summary>
    public int InitialCredits { get; init; } = 64;

    /// <summary>The shortest time before a resend over a lossy driver, nanoseconds. Above a scheduler slice's tail, or a busy machine resends for nothing.</summary>
    public long ResendNsMin { get; init; } = 5_000_000;

    /// <summary>
    /// The shortest time before a request is sent once more on suspicion over a lossy driver, nanoseconds: when the measured round trip and four of its variations have
    /// passed. That is no time-out and backs nothing off; a request that is merely late costs an answer too many.
    /// </summary>
    public long ProbeNsMin { get; init; } = 50_000;

    /// <summary><see cref="ResendNsMin"/> where frames aren't lost while the peer lives.</summary>
    public long ReliableResendNsMin { get; init; } = 200_000_000;

    /// <summary>The longest time before a resend, whatever the back-off; nanoseconds.</summary>
    public long ResendNsMax { get; init; } = 1_000_000_000;

    /// <summary>How long a request rests that no silo can take now (no route, a silo behind its view) before it is tried again; nanoseconds.</summary>
    public long ParkNs { get; init; } = 10_000_000;

    /// <summary>How long a read waits for one replica before another is asked, doubled each time; nanoseconds.</summary>
    public long ReadElsewhereNs { get; init; } = 10_000_000;

    /// <summary>How long a silo that let a read wait so long without a word isn't asked first; nanoseconds.</summary>
    public long AvoidNs { get; init; } = 250_000_000;

    /// <summary>The clock of <see cref="PageClient.Poll"/>, for the moments between two polls; null: <see cref="Linux.MonotonicClock"/>.</summary>
    public Func<long>? ClockNs { get; init; }

    /// <summary>Whether pages are read out of the memory of a silo of this host, where it offers that.</summary>
    public bool DirectReads { get; init; } = true;

    /// <summary>A rule that it doesn't keep.</summary>
    public TakeOverDefect Defect { get; init; }

    /// <summary>
    /// Called, on the owner's thread, when a silo's answer or a missing route shows that the view is out of date. Must be quick.
    /// See also <see cref="PageClient.StaleViewReports"/>.
    /// </summary>
    public Action? ViewIsStale { get; init; }
}
