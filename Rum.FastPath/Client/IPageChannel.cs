using Rum.Core;

namespace Rum.FastPath.Client;

/// <summary>
/// Pages of remote segments, asynchronously: what the pager asks of the fast path. Owned by one thread (the pager's), which also drives it
/// by <see cref="Poll"/>. Nothing here allocates or blocks. <c>PageClient</c> is the real one; the pager's floor (pages of the same process)
/// and the simulator are others.
/// </summary>
public unsafe interface IPageChannel
{
    /// <summary>How many requests may be outstanding at once; <see cref="TryRead"/> and its sisters answer false beyond.</summary>
    int Capacity { get; }

    /// <summary>Requests outstanding.</summary>
    int Outstanding { get; }

    /// <summary>Asks for <paramref name="count"/> consecutive pages of one extent. Each page completes on its own, with the same cookie.</summary>
    bool TryRead(in SegmentHandle segment, long page, int count, ulong cookie);

    /// <summary>
    /// The same, with a place for the pages, <paramref name="count"/> side by side, which is the channel's until they have completed (or <see cref="Cancel"/> was called): a channel
    /// that can puts a page there at once, and its completion's image is that very place. It may as well not.
    /// </summary>
    bool TryRead(in SegmentHandle segment, long page, int count, ulong cookie, byte* into) => TryRead(segment, page, count, cookie);

    /// <summary>
    /// Writes one page; <paramref name="image"/> null means all zeros. The channel gives the version (token of the handle, next sequence)
    /// and reads the image until completion: the caller leaves it unchanged. At most one write per page may be outstanding.
    /// </summary>
    bool TryWrite(in SegmentHandle segment, long page, byte* image, ulong cookie);

    /// <summary>Drops consecutive pages of one extent: they read as zeros from then on.</summary>
    bool TryTrim(in SegmentHandle segment, long page, int count, ulong cookie);

    /// <summary>
    /// Which silo a page is at now, as a small number below <see cref="SilosMax"/>; those beyond share numbers. Only for fairness: it may be out
    /// of date a moment later.
    /// </summary>
    int SiloOf(in SegmentHandle segment, long page) => 0;

    /// <summary>See <see cref="SiloOf"/>.</summary>
    const int SilosMax = 64;

    /// <summary>Whether a segment that had a writer before must be taken over (<see cref="TryTakeOver"/>) before it is written.</summary>
    bool TakesOver => false;

    /// <summary>
    /// Takes a segment over from its former writers: when it completes, every replica of its first <paramref name="pages"/> pages has recorded the handle's token,
    /// so that they can write nowhere any more, and what only some replicas had is on all of them. False: too many at once.
    /// </summary>
    bool TryTakeOver(in SegmentHandle segment, long pages, ulong cookie) => false;

    /// <summary>The silo that a take-over waits for; 0 for none.</summary>
    Incarnation TakeOverWaitsFor(ulong cookie) => default;

    /// <summary>All of a segment is written: tells the silos so, if the way is free, and a later writer finds nothing to level.</summary>
    void Settle(in SegmentHandle segment)
    {
    }

    /// <summary>Gives up the requests with this cookie; what still comes of them may be reported, or not. Returns how many there were.</summary>
    int Cancel(ulong cookie) => 0;

    /// <summary>Pushes out what was batched.</summary>
    void Submit();

    /// <summary>
    /// Receives, resends what is due, and reports what ended. <paramref name="nowNs"/> is a monotonic clock in nanoseconds.
    /// Images in the completions are valid until the next call, unless they are lent buffers.
    /// </summary>
    int Poll(long nowNs, Span<PageCompletion> completions);

    /// <summary>
    /// How many landing buffers the channel wants in all now (0 where the driver brings its own memory): as many as a burst may bring. It changes with
    /// the routes, in <see cref="Poll"/>.
    /// </summary>
    int LandingBuffers { get; }

    /// <summary>
    /// Lends a page-sized, resident buffer to receive into. It comes back as the image of a completion with
    /// <see cref="PageCompletion.Lent"/>; the caller then owns it and lends another.
    /// </summary>
    void Lend(byte* buffer);

    /// <summary>When <see cref="Poll"/> must be called again at the latest (same clock), <see cref="long.MaxValue"/> for no timer.</summary>
    long NextDeadlineNs { get; }

    /// <summary>Whether frames can be lost, so that someone must run timers while requests are outstanding.</summary>
    bool NeedsTimers { get; }

    /// <summary>Fills <paramref name="descriptors"/> with those to block on and returns their number; -1: can't block, poll.</summary>
    int WaitDescriptors(Span<int> descriptors);

    /// <summary>See <see cref="Drivers.IDriver.PrepareWait"/>.</summary>
    bool PrepareWait();

    /// <summary>See <see cref="Drivers.IDriver.FinishWait"/>.</summary>
    void FinishWait();
}
