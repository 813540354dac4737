namespace Rum.FastPath.Frames;

/// <summary>How a page travels.</summary>
public enum PayloadEncoding : byte
{
    /// <summary>As it is.</summary>
    Raw = 0,

    /// <summary>All zeros, no payload.</summary>
    Zero = 1,

    /// <summary>Changed byte ranges (reserved).</summary>
    Ranges = 2,

    /// <summary>Compressed (reserved).</summary>
    Compressed = 3,
}
