namespace Rum.Pager.Heap;

/// <summary>What a heap holds as of now. Counts of small objects are summed over the threads without stopping them, so they may be a moment apart.</summary>
public sealed class HeapStatistics
{
    /// <summary>Allocations served since the start.</summary>
    public long Allocations { get; internal set; }

    /// <summary>Objects given back since the start.</summary>
    public long Frees { get; internal set; }

    /// <summary>Objects that the program has now.</summary>
    public long LiveObjects => Allocations - Frees;

    /// <summary>Their bytes, each rounded up to its size class or to pages.</summary>
    public long LiveBytes { get; internal set; }

    /// <summary>Bytes of the slabs of small objects, free objects included.</summary>
    public long SlabBytes { get; internal set; }

    /// <summary>Accessible bytes of the space.</summary>
    public long SpaceBytes { get; internal set; }

    /// <summary>Of these, bytes whose charge was given back to the silos.</summary>
    public long ReleasedBytes { get; internal set; }

    /// <summary>Bytes charged at the silos.</summary>
    public long ChargedBytes => SpaceBytes - ReleasedBytes;

    /// <summary>Bytes in free page runs.</summary>
    public long FreeRunBytes { get; internal set; }

    /// <summary>The longest free run, in bytes.</summary>
    public long LongestFreeRunBytes { get; internal set; }

    /// <summary>Bytes discarded since the start: freed, and never written back.</summary>
    public long DiscardedBytes { get; internal set; }

    /// <summary>Local bytes that the heap's books take, about.</summary>
    public long LocalBytes { get; internal set; }

    /// <summary>Wrong pointers reported.</summary>
    public long BadPointers { get; internal set; }
}
