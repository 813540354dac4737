namespace Rum.Pager;

/// <summary>How pages get in and out (<c>RUM_PAGER</c>).</summary>
public enum PagerMode
{
    /// <summary>Move where the kernel can (6.8), else copy.</summary>
    Auto,

    /// <summary>UFFDIO_MOVE.</summary>
    Move,

    /// <summary>UFFDIO_COPY and write-protection. Direct I/O into pages that aren't pinned may be lost.</summary>
    Copy,
}
