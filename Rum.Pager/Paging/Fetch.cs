using Rum.Core;

namespace Rum.Pager.Paging;

/// <summary>
/// Up to 64 consecutive pages on their way in, with a run of slots for them. Masks have a bit per page; a page is asked for, then Arrived,
/// then Gone (mapped or given up). When all are gone the fetch ends.
/// </summary>
internal struct Fetch
{
    /// <summary>First page.</summary>
    internal long First;

    /// <summary>When the first fault for it came.</summary>
    internal long FaultNs;

    /// <summary>When the last answer for it came, while it is held.</summary>
    internal long ArrivedNs;

    /// <summary>When to ask again, 0: not due.</summary>
    internal long RetryNs;

    /// <summary>When to say again that it waits.</summary>
    internal long ReportNs;

    /// <summary>Its region.</summary>
    internal Region? Region;

    /// <summary>Slot of the first page; -1 while none could be had.</summary>
    internal int Slot;

    /// <summary>Pages; 0 marks an unused fetch.</summary>
    internal int Count;

    /// <summary>Pages asked for and not answered.</summary>
    internal ulong Asked;

    /// <summary>Pages whose slot holds them.</summary>
    internal ulong Arrived;

    /// <summary>Pages that arrived as zeros: no silo holds anything.</summary>
    internal ulong Zeros;

    /// <summary>Pages that a thread waits for.</summary>
    internal ulong Wanted;

    /// <summary>Of those wanted, the ones that a load or store waits for, and not only a pin.</summary>
    internal ulong Touching;

    /// <summary>Pages mapped or given up.</summary>
    internal ulong Gone;

    /// <summary>Fetched ahead: stays unmapped until its first fault.</summary>
    internal bool Ahead;

    /// <summary>A thread waits for a page of it, but answers keep coming: the window is mapped as a whole.</summary>
    internal bool Held;

    /// <summary>Maps pages as they arrive.</summary>
    internal bool AtOnce;

    /// <summary>No silo is asked: the pages are zeros, and only a slot is missing.</summary>
    internal bool Local;

    /// <summary>In the queue of fetches that wait for a slot or for the channel.</summary>
    internal bool Queued;

    /// <summary>Changed since its pages were last mapped.</summary>
    internal bool Touched;

    /// <summary>Given up: its pages are absent again; the entry ends when no list names it any more.</summary>
    internal bool Poisoned;

    /// <summary>The stream that asked for it, -1: none.</summary>
    internal int Stream;

    /// <summary>Counts the uses of this entry, so that a late answer isn't taken for a new one's.</summary>
    internal uint Use;

    /// <summary>The next unused fetch, or the next in the list of those fetched ahead.</summary>
    internal int Next;

    /// <summary>The last answer that was no page.</summary>
    internal PageStatus Status;

    /// <summary>All bits of its pages.</summary>
    internal readonly ulong All => ulong.MaxValue >> (SlotPool.Run - Count);
}
