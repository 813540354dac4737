namespace Rum.Core;

/// <summary>The units of the memory grid. They are part of the protocol: both ends must agree on them.</summary>
public static class Layout
{
    /// <summary>log2 of <see cref="PageSize"/>.</summary>
    public const int PageShift = 12;

    /// <summary>Bytes in a page, the unit of transfer.</summary>
    public const int PageSize = 1 << PageShift;

    /// <summary>log2 of <see cref="ExtentSize"/>.</summary>
    public const int ExtentShift = 26;

    /// <summary>Bytes in an extent (64 MiB), the unit of placement.</summary>
    public const long ExtentSize = 1L << ExtentShift;

    /// <summary>Pages in an extent.</summary>
    public const int PagesPerExtent = 1 << (ExtentShift - PageShift);

    /// <summary>Shards of a cluster unless <c>rum cluster init</c> says otherwise; fixed for the cluster's life.</summary>
    public const int DefaultShardCount = 4096;

    /// <summary>The largest segment, 16 TiB.</summary>
    public const long MaxSegmentSize = 1L << 44;

    /// <summary>Rounds <paramref name="bytes"/> up to whole pages.</summary>
    public static long PagesFor(long bytes) => (bytes + PageSize - 1) >> PageShift;

    /// <summary>Rounds <paramref name="bytes"/> up to whole extents.</summary>
    public static long ExtentsFor(long bytes) => (bytes + ExtentSize - 1) >> ExtentShift;

    /// <summary>The extent that holds a page of a segment.</summary>
    public static long ExtentOfPage(long page) => page >> (ExtentShift - PageShift);
}
