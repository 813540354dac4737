using Rum.Core;

namespace Rum.Pager.Heap;

/// <summary>
/// The address space that a heap divides: the session's anonymous segment. The heap never touches its bytes, it only asks for more of it and
/// gives parts back. Calls come from any thread, one at a time per kind; they may block for a round trip.
/// </summary>
public interface IHeapSpace
{
    /// <summary>The first address. Page aligned and constant.</summary>
    nint BaseAddress { get; }

    /// <summary>Bytes that <see cref="Grow"/> may reach at most; a multiple of the extent size.</summary>
    long ReservedBytes { get; }

    /// <summary>Makes [0, <paramref name="bytes"/>) accessible and charges what is new of it. Never shrinks.</summary>
    RumError Grow(long bytes);

    /// <summary>Charges whole extents again that <see cref="Release"/> gave back.</summary>
    RumError Charge(long firstExtent, int count);

    /// <summary>Gives the charge of whole extents back to the silos; their bytes are dropped.</summary>
    RumError Release(long firstExtent, int count);

    /// <summary>Drops the pages of a range: not written back, zeros from then on. Whole pages only.</summary>
    void Discard(nint address, long length);
}
