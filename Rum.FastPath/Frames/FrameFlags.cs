namespace Rum.FastPath.Frames;

/// <summary>Flags of a frame.</summary>
[Flags]
public enum FrameFlags : ushort
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>A resend: the receiver may have seen it.</summary>
    Resend = 1,

    /// <summary>The tag is in use (auth or encrypt).</summary>
    Tagged = 2,

    /// <summary>The payload is encrypted.</summary>
    Encrypted = 4,

    /// <summary>The segment is sparse: its pages were not charged, so the write may be refused for space.</summary>
    Sparse = 8,

    /// <summary>The last fragment of a write that goes now: the silo answers, if only with what it still misses.</summary>
    Report = 16,

    /// <summary>
    /// In a Read and its answers: for a copy. A run of pages never written is answered by one frame (Zero, version 0, its length in Count).
    /// </summary>
    Copy = 32,

    /// <summary>In a Trim of a whole extent: what was in it is lost. It answers Lost from then on, and not zeros.</summary>
    Lost = 64,

    /// <summary>In a FenceAnswer: pages of the segment here may differ from other replicas'; <see cref="FrameType.ListPages"/> says which.</summary>
    Unlevel = 128,
}
