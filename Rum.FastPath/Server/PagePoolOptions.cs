namespace Rum.FastPath.Server;

/// <summary>The sizes of a <see cref="PagePool"/>; all memory for them is reserved at start and used as it is needed.</summary>
public sealed record PagePoolOptions
{
    /// <summary>Bytes of pages that may be charged to this silo.</summary>
    public required long CapacityBytes { get; init; }

    /// <summary>Frames beyond the capacity, for images in flight: what makes a write into charged memory unable to fail.</summary>
    public int ReserveFrames { get; init; } = 1024;

    /// <summary>Segments at once, those freed lately included.</summary>
    public int SegmentsMax { get; init; } = 1 << 16;

    /// <summary>Extents at once. A 1 TiB sparse segment that is touched everywhere takes 16,384.</summary>
    public int ExtentsMax { get; init; } = 1 << 18;

    /// <summary>Whether pages live in memory that clients of this host can map for reading.</summary>
    public bool DirectReads { get; init; }

    /// <summary>A rule that isn't kept, so that the simulator's checkers can show that they see it. None outside of tests.</summary>
    public ReplicaDefect Defect { get; init; }
}
