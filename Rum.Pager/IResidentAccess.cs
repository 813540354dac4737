using Rum.Core;

namespace Rum.Pager;

/// <summary>
/// What application threads do with pages that are resident, without waiting, mostly without the pager thread: any thread, any time, also while
/// regions go. Pages that are not resident give Pending; then <see cref="IPager.Pin"/> is the way.
/// </summary>
public interface IResidentAccess
{
    /// <summary>Keeps a range resident until <see cref="EndTryPin"/> with the same range. PinBudgetExceeded as in <see cref="IPager.Pin"/>.</summary>
    RumError TryPin(nint address, long length);

    /// <summary>Whether the pins there are leave room for those that last only as long as a copy. A lasting pin must.</summary>
    bool PinsLeaveRoom { get; }

    /// <summary>Ends what <see cref="TryPin"/> began; nothing is left to do when the region is gone.</summary>
    void EndTryPin(nint address, long length);

    /// <summary>
    /// Makes a range resident and keeps it so until <see cref="EndHold"/>, for as long as a copy takes: the one member that blocks, and the one
    /// way to wait for pages with one command. PinBudgetExceeded as in <see cref="IPager.Pin"/>.
    /// </summary>
    RumError Hold(nint address, long length);

    /// <summary>Ends a <see cref="Hold"/>; nothing is left to do when the region is gone.</summary>
    void EndHold(nint address, long length);

    /// <summary>Copies out of a range (<paramref name="write"/>: into it) if all of it is resident. Never faults on remote memory.</summary>
    RumError TryCopy(nint remote, nint local, long length, bool write);
}
