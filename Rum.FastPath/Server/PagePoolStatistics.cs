namespace Rum.FastPath.Server;

/// <summary>What a <see cref="PagePool"/> holds.</summary>
/// <param name="PagesStored">Pages with an image.</param>
/// <param name="SparsePagesStored">Those of them in sparse segments, which nobody charged.</param>
/// <param name="FramesFree">Frames not in use, the reserve included.</param>
/// <param name="FramesTotal">Frames in all, the reserve included.</param>
/// <param name="ResidentBytes">Bytes of the arena that the kernel has backed.</param>
/// <param name="TableBytes">Address space of the extents' tables; they are resident only where touched.</param>
/// <param name="Segments">Live segments.</param>
/// <param name="Extents">Extents with a record.</param>
/// <param name="HugePages">Whether the arena may use huge pages.</param>
public readonly record struct PagePoolStatistics(
    long PagesStored,
    long SparsePagesStored,
    long FramesFree,
    long FramesTotal,
    long ResidentBytes,
    long TableBytes,
    int Segments,
    int Extents,
    bool HugePages);
