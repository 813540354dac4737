namespace Rum;

/// <summary>What a segment is opened for.</summary>
public enum RumAccess
{
    /// <summary>Reading and writing. One session at a time; others get <see cref="SegmentBusyException"/>.</summary>
    Write,

    /// <summary>Reading, beside at most one writer. Pages are at least as fresh as the writer's last flush before the opening, or before <see cref="RumSegment.RefreshAsync"/>.</summary>
    Read,
}
