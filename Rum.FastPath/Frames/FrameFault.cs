namespace Rum.FastPath.Frames;

/// <summary>Why a frame was dropped. Counted by reason, so that a broken peer can be told from a broken cable.</summary>
public enum FrameFault : byte
{
    /// <summary>The form is right.</summary>
    None = 0,

    /// <summary>Too short, or the first two bytes are wrong.</summary>
    Magic,

    /// <summary>Another protocol version.</summary>
    Version,

    /// <summary>An unknown type, or one that this end doesn't take.</summary>
    Type,

    /// <summary>Another page size.</summary>
    Granule,

    /// <summary>The lengths contradict each other or the type.</summary>
    Length,

    /// <summary>The fragment fields contradict each other.</summary>
    Fragment,

    /// <summary>An encoding that this version doesn't speak.</summary>
    Encoding,

    /// <summary>The page range is empty, leaves its extent, or lies beyond the largest segment.</summary>
    Range,

    /// <summary>The checksum is wrong.</summary>
    Checksum,

    /// <summary>How many there are; not a fault.</summary>
    Count,
}
