using Rum.FastPath.Direct;

namespace Rum.FastPath.Drivers;

/// <summary>
/// The transport seam: unreliable, batched, owned by one thread. Set-up (binding, connecting) is each driver's own; this is the data path.
/// No member allocates. All drivers pass one conformance suite (tests/Transport).
/// </summary>
public interface IDriver : IDisposable
{
    /// <summary>What this driver is like.</summary>
    DriverTraits Traits { get; }

    /// <summary>
    /// Sends a burst. Returns how many frames of the front were taken (back-pressure may take fewer, also none). Header and payload
    /// are the caller's again on return. A frame to a peer that is gone counts as taken, and is lost.
    /// </summary>
    int Send(ReadOnlySpan<TxFrame> frames);

    /// <summary>
    /// Receives what has arrived, without waiting; returns how many. Frames shorter than a header or longer than allowed
    /// are counted and dropped by the driver. What was received stays valid until <see cref="Release"/>.
    /// </summary>
    int Receive(Span<RxFrame> frames);

    /// <summary>Gives back the memory of the frames of the last <see cref="Receive"/>. Must be called between two receives.</summary>
    void Release();

    /// <summary>A descriptor that becomes readable when frames arrive after <see cref="PrepareWait"/>, or -1 (then it must be polled).</summary>
    int WaitDescriptor { get; }

    /// <summary>Announces that the owner is about to block on <see cref="WaitDescriptor"/>. False: frames are there already, don't block.</summary>
    bool PrepareWait();

    /// <summary>Ends the announcement and clears the descriptor.</summary>
    void FinishWait();

    /// <summary>Counters since the start.</summary>
    DriverCounters Counters { get; }

    /// <summary>Whether the peer hung up for good: a connection must be made anew. Drivers without connections never say so.</summary>
    bool Disconnected => false;

    /// <summary>The peer's own memory, for reading pages without asking it; null where there is no such thing. Ends with the driver.</summary>
    DirectReader? Direct => null;

    /// <summary>Looks whether the peer hung up, now: for who uses <see cref="Direct"/> and so neither sends nor waits.</summary>
    void Look()
    {
    }
}
