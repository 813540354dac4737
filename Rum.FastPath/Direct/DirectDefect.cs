namespace Rum.FastPath.Direct;

/// <summary>Rules of a direct read that a test may switch off.</summary>
public enum DirectDefect : byte
{
    /// <summary>All rules hold.</summary>
    None,

    /// <summary>Whether the page changed while it was copied isn't looked at.</summary>
    TrustsEntries,

    /// <summary>Whether the extent's table was taken away meanwhile isn't looked at.</summary>
    TrustsRecords,

    /// <summary>Whether the view changed meanwhile isn't looked at.</summary>
    TrustsViews,
}
