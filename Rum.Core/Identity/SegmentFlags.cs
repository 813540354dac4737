namespace Rum.Core;

/// <summary>How a segment was created.</summary>
[Flags]
public enum SegmentFlags : ushort
{
    /// <summary>Named or anonymous as its key says, spread over the shards, charged.</summary>
    None = 0,

    /// <summary>All extents in one shard that was made for one silo.</summary>
    Pinned = 1,

    /// <summary>Not charged when created; writes may fail with OutOfMemory.</summary>
    Sparse = 2,

    /// <summary>Copies on silos with different labels (racks), as far as there are so many.</summary>
    Racks = 4,
}
