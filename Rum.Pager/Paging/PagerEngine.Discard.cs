using Rum.Core;
using Rum.FastPath.Client;

namespace Rum.Pager.Paging;

// Discard: drop pages here and at the silos; and pins.
public sealed unsafe partial class PagerEngine
{
    private const int TrimCount = 64;

    // While a pin asks for its pages: nobody touches them yet.
    private bool _forPin;

    private readonly Trim[] _trims = new Trim[TrimCount];

    /// <summary>Consecutive pages of one extent that a silo is asked to drop.</summary>
    private struct Trim
    {
        internal Region? Region;
        internal PagerCommand? Command;
        internal long First;
        internal int Count;
        internal long RetryNs;
        internal long StartNs;
        internal long ReportNs;
        internal PageStatus Status;
        internal bool Sent;
    }

    private bool AdvanceDiscard(PagerCommand command)
    {
        Region region = command.At!;
        if (region.ReadOnly)
        {
            command.Result = RumError.ReadOnly;
            return true;
        }

        SendTrims(command);
        long end = Math.Min(command.End, region.Pages);
        while ((command.Cursor = region.NextUsed(command.Cursor, end)) < end)
        {
            int trim = FreeTrim();
            if (trim < 0) return false;
            long first = command.Cursor;
            long stop = Math.Min(end, (Layout.ExtentOfPage(first) + 1) * Layout.PagesPerExtent);
            long page = first;
            bool remote = false;
            while (page < stop)
            {
                int gone = DiscardRun(region, page, stop, ref remote);
                if (gone == 0) break;
                page += gone;
                if ((page & (Region.ChunkPages - 1)) == 0 && region.NextUsed(page, stop) != page) break;
            }

            if (page == first) return false;
            command.Cursor = page;
            if (!remote) continue;
            _trims[trim] = new Trim { Region = region, Command = command, First = first, Count = (int)(page - first) };
            region.Busy++;
            command.Trims++;
            SendTrims(command);
        }

        return command.Trims == 0;
    }

    /// <summary>Drops a run of pages in the same state; 0: the next page must be waited for.</summary>
    private int DiscardRun(Region region, long page, long stop, ref bool remote)
    {
        PageWord word = region[page];
        if (word.State == PageState.Loading)
        {
            DropIfAhead(word.Index);
            word = region[page];
        }

        if (word.State is PageState.Loading or PageState.Evicting || word.Writing) return 0;
        if (word.State == PageState.Absent)
        {
            remote |= region.IsRemote(word);
            if (word.Pins == 0) region.Set(page, word.Discard());
            return 1;
        }

        if (word.Pins > 0 || region.IsHeld(page))
        {
            new Span<byte>(_mapper.View(region.AddressOf(page)), Layout.PageSize).Clear();
            return 1;
        }

        int run = 0;
        while (page + run < stop && Droppable(region[page + run])) run++;
        run = region.Leave(page, run);
        if (run == 0)
        {
            // Held since a moment ago: next time it is cleared in place.
            region.Left();
            ArmTimer(_mapper.NowNs + HeldRetryNs);
            return 0;
        }

        for (int i = 0; i < run; i++)
        {
            PageWord present = region[page + i];
            remote |= region.IsRemote(present);
            _residents.Remove(present.Index, true);
            region.Set(page + i, present.Discard());
        }

        region.Left();
        _mapper.Drop(region.AddressOf(page), run);
        _unbacked += run;
        _discards += run;
        return run;
    }

    private int FreeTrim()
    {
        for (int t = 0; t < TrimCount; t++)
            if (_trims[t].Region is null) return t;
        return -1;
    }

    private void SendTrims(PagerCommand command)
    {
        for (int t = 0; t < TrimCount; t++)
        {
            ref Trim trim = ref _trims[t];
            if (trim.Region is null || trim.Sent || trim.Command != command || trim.RetryNs > _mapper.NowNs) continue;
            if (!_channel.TryTrim(trim.Region.Segment, trim.First, trim.Count, (ulong)t)) return;
            trim.Sent = true;
        }
    }

    private void TrimEnded(ref PageCompletion c)
    {
        ref Trim trim = ref _trims[(int)c.Cookie];
        RumError hopeless = c.Status == PageStatus.Fenced ? RumError.Fenced : Hopeless(c.Status);
        if (hopeless == RumError.None && trim.Command is not null && c.Status is not (PageStatus.Ok or PageStatus.Zero or PageStatus.Gone or PageStatus.Superseded))
        {
            trim.Sent = false;
            trim.Status = c.Status;
            trim.RetryNs = _mapper.NowNs + RetryDelayNs(c.Status);
            ArmTimer(trim.RetryNs);
            return;
        }

        if (trim.Command is not null)
        {
            trim.Command.Trims--;
            if (hopeless != RumError.None) trim.Command.Result = hopeless;
        }

        EndTrim(ref trim);
    }

    private void EndTrim(ref Trim trim)
    {
        Region region = trim.Region!;
        trim = default;
        Unbusy(region);
    }

    /// <summary>Pages that may be pinned: the rest must keep faults going.</summary>
    private int PinBudget => Math.Max(_options.CachePages - Math.Max(_options.CachePages / 8, 8) - Math.Max(_landing, LandingWanted), 0);

    private bool AdvancePin(PagerCommand command)
    {
        Region region = command.At!;
        if (command.Phase == 0)
        {
            command.Result = BeginPin(command, region);
            if (command.Result != RumError.None) return true;
            command.Phase = 1;
        }

        if (command.Result != RumError.None)
        {
            Unpin(command);
            return true;
        }

        _forPin = true;
        for (long page = command.Cursor; page < command.End; page++)
        {
            PageWord word = region[page];
            if (word.State == PageState.Absent) OnFault(region.AddressOf(page), false, _mapper.NowNs);
            else if (word.State == PageState.Loading) WantForPin(region, page, word.Index);
            else if (word.State == PageState.Evicting) OnFault(region.AddressOf(page), false, _mapper.NowNs);
        }

        _forPin = false;
        MapTouched();
        while (command.Cursor < command.End && region[command.Cursor].State == PageState.Present) command.Cursor++;
        return command.Cursor == command.End;
    }

    private RumError BeginPin(PagerCommand command, Region region)
    {
        if (command.End - command.First > PinBudget) return RumError.PinBudgetExceeded;
        int added = 0;
        for (long page = command.First; page < command.End; page++)
        {
            int pins = region[page].Pins;
            if (pins == PageWord.MaxPins) return RumError.InvalidArgument;
            if (pins == 0) added++;
        }

        _pinnedPages += added;
        Interlocked.MemoryBarrier();
        if (_pinnedPages + Volatile.Read(ref _triedPins) > PinBudget)
        {
            _pinnedPages -= added;
            return RumError.PinBudgetExceeded;
        }

        for (long page = command.First; page < command.End; page++)
        {
            PageWord word = region[page];
            if (word.Pins == 0 && word.State == PageState.Present) _residents.Unlink(word.Index);
            region.Set(page, word.Pin());
        }

        return RumError.None;
    }

    private void WantForPin(Region region, long page, int fetch)
    {
        ref Fetch f = ref _fetches[fetch];
        if ((f.Wanted >> (int)(page - f.First) & 1) == 0) OnFault(region.AddressOf(page), false, _mapper.NowNs);
    }

    private RumError Unpin(PagerCommand command)
    {
        Region region = command.At!;
        for (long page = command.First; page < command.End; page++)
            if (region[page].Pins == 0) return RumError.InvalidArgument;
        for (long page = command.First; page < command.End; page++)
        {
            PageWord word = region[page].Unpin();
            region.Set(page, word);
            if (word.Pins > 0) continue;
            _pinnedPages--;
            if (word.State == PageState.Present) _residents.Link(word.Index);
        }

        _replenish = true;
        return RumError.None;
    }
}
