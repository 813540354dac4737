using Rum.Core;
using Rum.Pager.Linux;

namespace Rum.Pager.Paging;

// Called by application threads; everything else of the engine belongs to its owner.
public sealed unsafe partial class PagerEngine
{
    private const long UsersWaitNs = 1_000_000_000;
    private const int CopyPinsMax = 64;
    private const long HeldRetryNs = 200_000;

    // Beside _pinnedPages, which is the owner's. Invariant: both together never exceed PinBudget; who raises one looks at the other afterwards.
    private int _triedPins;

    /// <inheritdoc cref="IResidentAccess.PinsLeaveRoom"/>
    public bool PinsLeaveRoom => Volatile.Read(ref _pinnedPages) + Volatile.Read(ref _triedPins) <= LastingPinBudget;

    // Lasting pins leave some pages to those that live only as long as a copy, else these could wait for ever.
    private int LastingPinBudget => PinBudget - Math.Clamp(PinBudget / 8, 1, CopyPinsMax);

    /// <inheritdoc cref="IResidentAccess.TryPin"/>
    public RumError TryPin(nint address, long length)
    {
        RumError error = Enter(address, length, out Region? region, out long first, out long end);
        if (error != RumError.None) return error;
        int pages = (int)(end - first);
        if (Interlocked.Add(ref _triedPins, pages) + Volatile.Read(ref _pinnedPages) > LastingPinBudget) error = RumError.PinBudgetExceeded;
        else if (!region!.TryHold(first, end)) error = RumError.Pending;
        if (error == RumError.None) region!.CountTriedPins(pages);
        else Interlocked.Add(ref _triedPins, -pages);
        region!.EndUse();
        return error;
    }

    /// <inheritdoc cref="IResidentAccess.EndTryPin"/>
    public void EndTryPin(nint address, long length)
    {
        if (Enter(address, length, out Region? region, out long first, out long end) != RumError.None) return;
        int pages = (int)(end - first);
        region!.EndHold(first, end);
        region.CountTriedPins(-pages);
        Interlocked.Add(ref _triedPins, -pages);
        region.EndUse();
    }

    /// <inheritdoc cref="IResidentAccess.EndHold"/>
    public void EndHold(nint address, long length)
    {
        if (Enter(address, length, out Region? region, out long first, out long end) != RumError.None) return;
        region!.EndHold(first, end);
        region.EndUse();
    }

    /// <inheritdoc cref="IResidentAccess.TryCopy"/>
    public RumError TryCopy(nint remote, nint local, long length, bool write)
    {
        RumError error = Enter(remote, length, out Region? region, out long first, out long end);
        if (error != RumError.None) return error;
        if (write && region!.ReadOnly)
        {
            error = RumError.ReadOnly;
        }
        else if (!region!.TryHold(first, end))
        {
            error = RumError.Pending;
        }
        else
        {
            PagerNative.Memcpy((void*)(write ? remote : local), (void*)(write ? local : remote), (nuint)length);
            region.EndHold(first, end);
        }

        region.EndUse();
        return error;
    }

    /// <summary>Owner: a pin that becomes a hold as soon as the pages are there, so that its end needs no command.</summary>
    private bool AdvanceHold(PagerCommand command)
    {
        if (!AdvancePin(command)) return false;
        if (command.Result != RumError.None) return true;
        command.At!.Hold(command.First, command.End);
        command.Result = Unpin(command);
        return true;
    }

    /// <summary>Finds the region of a range and enters it; its user leaves it.</summary>
    private RumError Enter(nint address, long length, out Region? region, out long first, out long end)
    {
        first = end = 0;
        region = _regions.FindFromOutside(address);
        if (region is null || !region.TryUse()) return _revoked != RumError.None ? _revoked : RumError.BadPointer;
        long offset = address - region.Address;
        first = offset >> Layout.PageShift;
        end = Layout.PagesFor(offset + length);
        if (length > 0 && end <= region.Pages) return RumError.None;
        region.EndUse();
        return RumError.BadPointer;
    }
}
