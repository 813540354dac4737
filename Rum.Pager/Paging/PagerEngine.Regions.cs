using System.Numerics;
using Rum.Core;

namespace Rum.Pager.Paging;

// Regions come and go.
public sealed unsafe partial class PagerEngine
{
    private int _pinnedPages;
    private long _discards;

    private RumError MapRegion(PagerCommand command)
    {
        RegionOptions options = command.Region;
        RumError error = _mapper.OpenRegion(Layout.PagesFor(options.ReservedBytes) << Layout.PageShift, Layout.PagesFor(options.Bytes) << Layout.PageShift, options.ReadOnly, out nint address);
        if (error != RumError.None) return error;
        _regions.Add(new Region(_mapper, _regions.FreeIndex(), address, options));
        command.ResultAddress = address;
        return RumError.None;
    }

    /// <summary>
    /// Unmaps a region now. Requests that are outstanding go on by themselves: they keep their slots until they end, and what they bring is
    /// dropped.
    /// </summary>
    private void Retire(Region region)
    {
        region.Busy++;
        region.Closed = true;
        _regions.Close(region);
        // Only a program that took pages away itself can make a user wait for the pager; then the mapping goes under it.
        if (region.TryEndUsers(UsersWaitNs)) Interlocked.Add(ref _triedPins, -region.TriedPins);
        _mapper.CloseRegion(region.Address, region.Reserved);
        long end = region.Reserved >> Layout.PageShift;
        for (long page = region.NextLive(0, end); page < end; page = region.NextLive(page + 1, end))
        {
            PageWord word = region[page];
            if (word.Pins > 0) _pinnedPages--;
            if (word.State == PageState.Present)
            {
                _residents.Remove(word.Index, word.Pins == 0);
                _unbacked++;
            }
            else if (word.State == PageState.Loading)
            {
                RetireFetch(region, word.Index);
            }
        }

        for (int s = 0; s < StreamCount; s++)
            if (_streams[s].Region == region) _streams[s] = default;
        Unbusy(region);
    }

    private void RetireFetch(Region region, int fetch)
    {
        ref Fetch f = ref _fetches[fetch];
        if (f.Region != region) return;
        _waiting -= BitOperations.PopCount(f.Wanted);
        f.Wanted = 0;
        if (!f.Queued && !f.Touched) EndOrphan(fetch);
    }

    private void Unbusy(Region region)
    {
        if (--region.Busy > 0 || !region.Closed) return;
        region.CloseTables();
        _regions.Forget(region);
    }
}
