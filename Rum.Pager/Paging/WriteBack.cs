using Rum.Core;

namespace Rum.Pager.Paging;

/// <summary>One image on its way to a silo. The slot stays as it is until the silo has acknowledged it.</summary>
internal struct WriteBack
{
    /// <summary>The page.</summary>
    internal long Page;

    /// <summary>Its region; null marks an unused write-back.</summary>
    internal Region? Region;

    /// <summary>The flush that waits for it, if any.</summary>
    internal PagerCommand? Command;

    /// <summary>A flush sent it: the page stayed mapped. Else the page was evicted.</summary>
    internal bool Flush;

    /// <summary>The hash of the image: what the silo has afterwards.</summary>
    internal ulong Hash;

    /// <summary>When the fault that waits for it came.</summary>
    internal long FaultNs;

    /// <summary>When it started, for reports.</summary>
    internal long StartNs;

    /// <summary>When to send again.</summary>
    internal long RetryNs;

    /// <summary>When to say again that it waits.</summary>
    internal long ReportNs;

    /// <summary>The slot with the image.</summary>
    internal int Slot;

    /// <summary>The silo, as the channel numbers them: it is counted there until it ends.</summary>
    internal int Silo;

    /// <summary>The next unused one.</summary>
    internal int Next;

    /// <summary>A thread waits for the page, and there was no slot for a copy.</summary>
    internal bool Wanted;

    /// <summary>That thread touches it; else only a pin wants it.</summary>
    internal bool Touching;

    /// <summary>The image is all zeros and travels as a flag.</summary>
    internal bool Zero;

    /// <summary>The last refusal.</summary>
    internal PageStatus Status;
}
