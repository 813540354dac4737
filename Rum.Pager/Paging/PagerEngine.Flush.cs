using Rum.Core;

namespace Rum.Pager.Paging;

// Flush: every store before the call is at the silos when it ends. The program goes on storing meanwhile.
public sealed unsafe partial class PagerEngine
{
    private bool AdvanceFlush(PagerCommand command, bool drop)
    {
        if (!command.All) return FlushAndMaybeDrop(command, drop);
        while (command.RegionCursor < _regions.Open.Length || command.At is not null)
        {
            if (command.At is null)
            {
                command.At = _regions.Open[command.RegionCursor];
                command.First = command.Cursor = 0;
                command.End = command.At.Pages;
                command.Phase = 0;
            }

            if (!command.At.Closed && !FlushAndMaybeDrop(command, drop)) return false;
            command.RegionCursor = NextRegion(command.At);
            command.At = null;
        }

        return true;
    }

    /// <summary>The place of the first region above <paramref name="done"/>: regions may come and go between two steps.</summary>
    private int NextRegion(Region done)
    {
        int i = 0;
        while (i < _regions.Open.Length && _regions.Open[i].Address <= done.Address) i++;
        return i;
    }

    private bool FlushAndMaybeDrop(PagerCommand command, bool drop)
    {
        if (command.Phase == 0)
        {
            if (!FlushRange(command)) return false;
            if (!drop || command.Result != RumError.None) return true;
            command.Phase = 1;
            command.Cursor = command.First;
        }

        return DropRange(command);
    }

    /// <summary>
    /// Sends a copy of each page whose hash differs from what the silo has. The copy is taken while the program may store: stores made before
    /// the call are in it; a later one leaves the page's hash different from the recorded one, so the page stays dirty.
    /// </summary>
    private bool FlushRange(PagerCommand command)
    {
        Region region = command.At!;
        long end = Math.Min(command.End, region.Pages);
        if (region.ReadOnly) command.Cursor = end;
        long page = command.Cursor;
        for (; (page = region.NextLive(page, end)) < end; page++)
        {
            PageWord word = region[page];
            if (word.State == PageState.Evicting && Hopeless(_writes[word.Index].Status) is var error and not RumError.None)
            {
                command.Result = error;
                continue;
            }

            if (word.State == PageState.Evicting || word.State == PageState.Present && word.Writing) break;
            if (word.State != PageState.Present || IsClean(region, page, _residents[word.Index].Hash)) continue;
            if (WritesLeft(region, page) <= 0) break;
            int slot = TakeSlots(1, out _);
            if (slot < 0 && (DropOneAhead() || EvictSome(1) > 0))
            {
                // Eviction may have taken this very page.
                page--;
                continue;
            }

            if (slot < 0) break;
            Copy(SlotAddress(slot), _mapper.View(region.AddressOf(page)));
            int write = NewWrite(region, page, slot, _hash.Of(SlotAddress(slot)), command);
            region.Set(page, word.StartWrite());
            command.Writes++;
            Send(write);
        }

        command.Cursor = page;
        return page >= end && command.Writes == 0;
    }

    /// <summary>Takes every page of the range away from the program that no pin holds.</summary>
    private bool DropRange(PagerCommand command)
    {
        Region region = command.At!;
        long end = Math.Min(command.End, region.Pages);
        long page = command.Cursor;
        while ((page = region.NextLive(page, end)) < end)
        {
            PageWord word = region[page];
            if (word.State == PageState.Loading) DropIfAhead(word.Index);
            word = region[page];
            if (word.State == PageState.Evicting || word.State == PageState.Present && word.Writing) break;
            if (word.State == PageState.Loading || word.State == PageState.Absent || word.Pins > 0)
            {
                page++;
                continue;
            }

            if (WritesLeft(region, page) <= 0) break;
            int run = 1;
            long stop = Math.Min(end, (Layout.ExtentOfPage(page) + 1) * Layout.PagesPerExtent);
            while (run < SlotPool.Run && page + run < stop && Droppable(region[page + run])) run++;
            int gone = EvictRun(region, page, run);
            page += Math.Max(gone, 1);
        }

        command.Cursor = page;
        return page >= end && !AnyEvicting(region, command.First, end);
    }

    private static bool Droppable(PageWord word) => word.State == PageState.Present && !word.Writing && word.Pins == 0;

    private static bool AnyEvicting(Region region, long first, long end)
    {
        for (long page = first; (page = region.NextLive(page, end)) < end; page++)
            if (region[page].State == PageState.Evicting) return true;
        return false;
    }

    private void DropIfAhead(int fetch)
    {
        ref Fetch f = ref _fetches[fetch];
        if (f.Ahead && f.Asked == 0 && f.Wanted == 0 && !f.Queued && !f.Touched) DropAhead(fetch);
    }
}
