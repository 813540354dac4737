using Rum.Native;

namespace Rum;

/// <summary>Counters since the session's start, and gauges as of the moment it was taken.</summary>
public sealed record RumStatistics
{
    internal RumStatistics(in ClientStatistics from)
    {
        Faults = from.Faults;
        ZeroFills = from.ZeroFills;
        PagesFetched = from.PagesFetched;
        PagesPrefetched = from.PagesPrefetched;
        Evictions = from.Evictions;
        WriteBacks = from.WriteBacks;
        ResidentBytes = from.ResidentBytes;
        CacheBytes = from.CacheBytes;
        PinnedBytes = from.PinnedBytes;
        FaultsWaiting = (int)from.FaultsWaiting;
        FaultP50 = TimeSpan.FromMicroseconds(from.FaultP50Ns / 1e3);
        FaultP99 = TimeSpan.FromMicroseconds(from.FaultP99Ns / 1e3);
        FaultP999 = TimeSpan.FromMicroseconds(from.FaultP999Ns / 1e3);
        HeapObjects = from.HeapObjects;
        HeapBytes = from.HeapBytes;
        ChargedBytes = from.ChargedBytes;
    }

    /// <summary>Page faults resolved.</summary>
    public long Faults { get; }

    /// <summary>Of these, by a zero page and without a round trip.</summary>
    public long ZeroFills { get; }

    /// <summary>Pages fetched from silos, prefetched ones included.</summary>
    public long PagesFetched { get; }

    /// <summary>Pages fetched ahead of their use.</summary>
    public long PagesPrefetched { get; }

    /// <summary>Pages that left the cache.</summary>
    public long Evictions { get; }

    /// <summary>Of these, pages that had changed and were sent to a silo.</summary>
    public long WriteBacks { get; }

    /// <summary>Bytes of pages in the cache; never above <see cref="CacheBytes"/>.</summary>
    public long ResidentBytes { get; }

    /// <summary>The cache's limit.</summary>
    public long CacheBytes { get; }

    /// <summary>Bytes pinned.</summary>
    public long PinnedBytes { get; }

    /// <summary>Page faults that wait.</summary>
    public int FaultsWaiting { get; }

    /// <summary>The fault time that half of the faults stay below.</summary>
    public TimeSpan FaultP50 { get; }

    /// <summary>The fault time that 99% of the faults stay below.</summary>
    public TimeSpan FaultP99 { get; }

    /// <summary>The fault time that 99.9% of the faults stay below.</summary>
    public TimeSpan FaultP999 { get; }

    /// <summary>Objects of <see cref="RumMemory"/> in use.</summary>
    public long HeapObjects { get; }

    /// <summary>Their bytes.</summary>
    public long HeapBytes { get; }

    /// <summary>Bytes charged to the session's anonymous memory at the silos.</summary>
    public long ChargedBytes { get; }
}
