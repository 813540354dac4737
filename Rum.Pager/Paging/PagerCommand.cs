using Rum.Core;

namespace Rum.Pager.Paging;

/// <summary>What an application thread asks of the engine. The fields below the result are the engine's own while it works on it.</summary>
public sealed class PagerCommand
{
    /// <summary>What to do.</summary>
    public PagerCommandKind Kind;

    /// <summary>The start of the range, or the region.</summary>
    public nint Address;

    /// <summary>Its length in bytes, or the new length.</summary>
    public long Length;

    /// <summary>For Map.</summary>
    public RegionOptions Region;

    /// <summary>For Unmap: write dirty pages back first. For Revoke: unused.</summary>
    public bool WriteBack;

    /// <summary>For Revoke: what later calls answer.</summary>
    public RumError Why;

    /// <summary>How it ended.</summary>
    public RumError Result;

    /// <summary>For Map: where.</summary>
    public nint ResultAddress;

    /// <summary>For Map that ended with Timeout: the silo that didn't answer; 0 for none.</summary>
    public Incarnation Silent;

    /// <summary>For the owner: which of its command slots this is.</summary>
    public int Tag;

    internal Region? At;
    internal long First;
    internal long Cursor;
    internal long End;
    internal int Writes;
    internal int Trims;
    internal int RegionCursor;
    internal int Phase;
    internal bool All;
    internal bool Active;
    internal ulong Cookie;
    internal long StartNs;

    /// <summary>When it came on last, and how far it was then.</summary>
    internal long ProgressNs;
    internal (long, int, int) Reached;

    internal void Reset()
    {
        At = null;
        First = Cursor = End = 0;
        Writes = Trims = RegionCursor = Phase = 0;
        All = false;
        Result = RumError.None;
        ResultAddress = 0;
        Silent = default;
    }
}

/// <summary>The kinds of command; each is a method of <see cref="IPager"/>.</summary>
public enum PagerCommandKind
{
    /// <summary><see cref="IPager.Map"/>.</summary>
    Map,

    /// <summary><see cref="IPager.Resize"/>.</summary>
    Resize,

    /// <summary><see cref="IPager.Unmap"/>.</summary>
    Unmap,

    /// <summary><see cref="IPager.Discard"/>.</summary>
    Discard,

    /// <summary><see cref="IPager.Prefetch"/>.</summary>
    Prefetch,

    /// <summary><see cref="IPager.Flush"/>.</summary>
    Flush,

    /// <summary><see cref="IPager.FlushAndDrop"/>.</summary>
    FlushAndDrop,

    /// <summary><see cref="IPager.Pin"/>.</summary>
    Pin,

    /// <summary><see cref="IResidentAccess.Hold"/>.</summary>
    Hold,

    /// <summary><see cref="IPager.Unpin"/>.</summary>
    Unpin,

    /// <summary><see cref="IPager.Revoke"/>.</summary>
    Revoke,

    /// <summary>Ends the pager thread.</summary>
    Stop,
}
