using Rum.Core;

namespace Rum.FastPath.Client;

/// <summary>The end of one page request, as <see cref="IPageChannel.Poll"/> reports it.</summary>
public unsafe struct PageCompletion
{
    /// <summary>What the request was given.</summary>
    public ulong Cookie;

    /// <summary>The page (reads), the first page (trims).</summary>
    public long Page;

    /// <summary>What kind of request ended.</summary>
    public PageOperation Operation;

    /// <summary>How it ended.</summary>
    public PageStatus Status;

    /// <summary>Whether <see cref="Image"/> is a buffer that was lent; it belongs to the caller again.</summary>
    public bool Lent;

    /// <summary>The page read; null where <see cref="Status"/> isn't Ok.</summary>
    public byte* Image;

    /// <summary>The version of the page read or written.</summary>
    public PageVersion Version;
}

/// <summary>The kinds of page request.</summary>
public enum PageOperation : byte
{
    /// <summary>Read.</summary>
    Read,

    /// <summary>Write.</summary>
    Write,

    /// <summary>Trim.</summary>
    Trim,

    /// <summary>See <see cref="IPageChannel.TryTakeOver"/>.</summary>
    TakeOver,
}
