namespace Rum.Pager;

/// <summary>Counters since the start and gauges as of now. A copy: it doesn't change after it was taken.</summary>
public sealed record PagerStatistics
{
    /// <summary>Faults resolved.</summary>
    public long Faults { get; init; }

    /// <summary>Faults resolved with a zero page, without a round trip.</summary>
    public long ZeroFills { get; init; }

    /// <summary>Pages fetched from silos, prefetched ones included.</summary>
    public long PagesFetched { get; init; }

    /// <summary>Pages fetched ahead of their fault.</summary>
    public long PagesPrefetched { get; init; }

    /// <summary>
    /// Pages fetched that did not land in the slot which they are mapped from, and so were copied once: those of windows, those that came in fragments, and
    /// all that come out of memory of the driver's own, like a ring.
    /// </summary>
    public long PagesCopied { get; init; }

    /// <summary>Pages evicted.</summary>
    public long Evictions { get; init; }

    /// <summary>Evicted pages that were dirty and were written back.</summary>
    public long WriteBacks { get; init; }

    /// <summary>Faults on pages that were just being evicted, resolved from the local copy.</summary>
    public long Rescues { get; init; }

    /// <summary>Pages dropped by discards.</summary>
    public long Discards { get; init; }

    /// <summary>Bytes of pages resident now, those in the slot pool included. Never above <see cref="CacheBytes"/>.</summary>
    public long ResidentBytes { get; init; }

    /// <summary>The cache limit.</summary>
    public long CacheBytes { get; init; }

    /// <summary>Bytes pinned now.</summary>
    public long PinnedBytes { get; init; }

    /// <summary>Page faults waiting now.</summary>
    public int FaultsWaiting { get; init; }

    /// <summary>
    /// Fault times as counts by bucket: bucket b counts those in [lower(b), lower(b + 1)) with lower as in <c>TimeHistogram</c>.
    /// </summary>
    public IReadOnlyList<long> FaultNs { get; init; } = [];

    /// <summary>Bytes allocated on the managed heap by the pager thread since its start; stays 0 per fault.</summary>
    public long ManagedBytesAllocated { get; init; }
}
