using Rum.Core;
using Rum.Core.Council;

namespace Rum.Pager.Session;

// What only the .NET API uses: segments with all that is known of them, and copies that return errors instead of faulting.
internal sealed partial class RumRuntime
{
    // Pinned at once on behalf of one copy.
    private const long CopyChunk = 64 << 10;
    private static readonly TimeSpan BudgetPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan BudgetPause = TimeSpan.FromMilliseconds(1);

    private IResidentAccess? _resident;

    /// <summary>The pager, as far as it needn't be asked.</summary>
    public IResidentAccess Resident => _resident ??= (IResidentAccess)_pager;

    /// <summary>Whether the silos ended the session.</summary>
    public bool Expired => _session!.IsEnded;

    /// <summary>The segment that is mapped at an address.</summary>
    public MappedSegment Segment(nint address) => _segments.At(address) ?? throw BadPointer(address);

    /// <summary>A pin that lasts only as long as a copy; <see cref="IResidentAccess.EndHold"/> ends it.</summary>
    public void Hold(nint address, long length) => Check(Resident.Hold(address, length), $"{length} bytes at 0x{address:x} can't be had");

    /// <summary>For readers: empties the cache of a segment, so that its pages are fetched anew.</summary>
    public void Refresh(nint address)
    {
        MappedSegment segment = Segment(address);
        Check(_pager.FlushAndDrop(address, segment.Bytes), $"{segment.Segment} could not be refreshed");
    }

    /// <summary>
    /// Copies out of remote memory (<paramref name="write"/>: into it), waiting for pages without touching them before they are there: so what goes
    /// wrong with a page is an error here, and a segment that goes away meanwhile is one too.
    /// </summary>
    public void Copy(nint remote, nint local, long length, bool write)
    {
        long done = 0;
        long giveUp = 0;
        bool single = false;
        while (done < length)
        {
            nint at = remote + (nint)done;
            long page = Layout.PageSize - (at & (Layout.PageSize - 1));
            long chunk = Math.Min(length - done, single ? page : CopyChunk - Layout.PageSize + page);
            RumError error = Resident.TryCopy(at, local + (nint)done, chunk, write);
            if (error == RumError.Pending)
            {
                error = Resident.Hold(at, chunk);
                if (error == RumError.PinBudgetExceeded)
                {
                    // The copies of other threads end by themselves, and pins leave a page free.
                    if (single && giveUp == 0) giveUp = Environment.TickCount64 + (long)BudgetPatience.TotalMilliseconds;
                    if (!single || Environment.TickCount64 < giveUp)
                    {
                        if (single) Thread.Sleep(BudgetPause);
                        single = true;
                        continue;
                    }
                }

                Check(error, $"{chunk} bytes at 0x{at:x} can't be had");
                error = Resident.TryCopy(at, local + (nint)done, chunk, write);
                Resident.EndHold(at, chunk);
            }

            if (error == RumError.Pending) continue;
            Check(error, $"{chunk} bytes at 0x{at:x} can't be {(write ? "written" : "read")}");
            done += chunk;
            single = false;
            giveUp = 0;
        }
    }
}
