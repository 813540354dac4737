namespace Rum;

/// <summary>How pages get into the program.</summary>
public enum RumPaging
{
    /// <summary>Moved where the kernel can (6.8 and later), else copied.</summary>
    Auto = 1,

    /// <summary>Moved; connecting fails where the kernel can't.</summary>
    Move = 2,

    /// <summary>Copied: slower, and what kernels before 6.8 do.</summary>
    Copy = 3,
}
