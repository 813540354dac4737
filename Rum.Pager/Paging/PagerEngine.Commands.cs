using Rum.Core;

namespace Rum.Pager.Paging;

// Commands of application threads: each is carried on step by step until it ends.
public sealed unsafe partial class PagerEngine
{
    private const int CommandSlots = 256;

    private readonly PagerCommand?[] _active = new PagerCommand?[CommandSlots];
    private int _activeCount;

    /// <summary>Takes a command; it is completed through <see cref="IPagerEvents.Completed"/>, maybe before this returns.</summary>
    public void OnCommand(PagerCommand command)
    {
        command.Reset();
        RumError error = Begin(command);
        if (error != RumError.None || Advance(command))
        {
            if (error != RumError.None) command.Result = error;
            _events.Completed(command);
            return;
        }

        Invariant.Check(_activeCount < CommandSlots);
        command.Active = true;
        command.ProgressNs = _mapper.NowNs;
        _active[_activeCount++] = command;
        ArmTimer(command.ProgressNs + TickNs);
        _channel.Submit();
    }

    private RumError Begin(PagerCommand command)
    {
        if (command.Kind == PagerCommandKind.Revoke)
        {
            Revoke(command.Why);
            return RumError.None;
        }

        if (_revoked != RumError.None) return _revoked;
        if (command.Kind == PagerCommandKind.Map) return BeginMap(command);
        return Locate(command);
    }

    /// <summary>Finds the region and the pages of a command.</summary>
    private RumError Locate(PagerCommand command)
    {
        if (command.Kind is PagerCommandKind.Unmap or PagerCommandKind.Resize)
        {
            Region? whole = _regions.StartingAt(command.Address);
            if (whole is null) return RumError.BadPointer;
            command.At = whole;
            command.End = whole.Pages;
            if (command.Kind == PagerCommandKind.Unmap) return RumError.None;
            if (command.Length < 0 || command.Length > whole.Reserved) return RumError.InvalidArgument;
            command.First = command.Cursor = Math.Min(Layout.PagesFor(command.Length), whole.Pages);
            return RumError.None;
        }

        bool flush = command.Kind is PagerCommandKind.Flush or PagerCommandKind.FlushAndDrop;
        if (flush && command.Length == 0)
        {
            command.All = true;
            return RumError.None;
        }

        if (command.Length < 0 || command.Length == 0 && !flush) return RumError.InvalidArgument;
        Region? region = _regions.Find(command.Address);
        if (region is null || command.Length > (region.Pages << Layout.PageShift) - (command.Address - region.Address)) return RumError.BadPointer;
        long offset = command.Address - region.Address;
        command.At = region;
        bool inward = command.Kind == PagerCommandKind.Discard;
        command.First = command.Cursor = inward ? Layout.PagesFor(offset) : offset >> Layout.PageShift;
        command.End = inward ? (offset + command.Length) >> Layout.PageShift : Layout.PagesFor(offset + command.Length);
        return RumError.None;
    }

    private bool AdvanceCommands()
    {
        bool any = false;
        for (int i = 0; i < _activeCount;)
        {
            PagerCommand command = _active[i]!;
            if (!Advance(command))
            {
                (long, int, int) reached = (command.Cursor, command.Writes + (command.Trims << 16), command.RegionCursor);
                if (reached != command.Reached) (command.Reached, command.ProgressNs) = (reached, _mapper.NowNs);
                i++;
                continue;
            }

            Finish(i);
            any = true;
        }

        return any;
    }

    private void Finish(int index)
    {
        PagerCommand command = _active[index]!;
        _active[index] = _active[--_activeCount];
        _active[_activeCount] = null;
        command.Active = false;
        _events.Completed(command);
    }

    /// <summary>Carries a command on; true: it ended.</summary>
    private bool Advance(PagerCommand command)
    {
        switch (command.Kind)
        {
            case PagerCommandKind.Flush:
                return AdvanceFlush(command, false);
            case PagerCommandKind.FlushAndDrop:
                return AdvanceFlush(command, true);
            case PagerCommandKind.Discard:
                return AdvanceDiscard(command);
            case PagerCommandKind.Resize:
                return AdvanceResize(command);
            case PagerCommandKind.Unmap:
                if (command.WriteBack && !FlushRange(command)) return false;
                if (command.WriteBack && !command.At!.ReadOnly && command.Result == RumError.None) _channel.Settle(command.At.Segment);
                Retire(command.At!);
                return true;
            case PagerCommandKind.Map:
                return AdvanceMap(command);
            case PagerCommandKind.Prefetch:
                AddPrefetchJob(command.At!, command.First, command.End);
                return true;
            case PagerCommandKind.Pin:
                return AdvancePin(command);
            case PagerCommandKind.Hold:
                return AdvanceHold(command);
            case PagerCommandKind.Unpin:
                command.Result = Unpin(command);
                return true;
            default:
                return true;
        }
    }

    private bool AdvanceResize(PagerCommand command)
    {
        Region region = command.At!;
        if ((command.Cursor < region.Pages || command.Trims > 0) && !AdvanceDiscard(command)) return false;
        if (command.Result != RumError.None) return true;
        long pages = Layout.PagesFor(command.Length);
        command.Result = _mapper.ResizeRegion(region.Address, region.Pages << Layout.PageShift, pages << Layout.PageShift, region.ReadOnly);
        if (command.Result == RumError.None) region.Pages = pages;
        return true;
    }

    /// <summary>Unmaps a region that can't go on; the commands at work on it end with <paramref name="why"/>.</summary>
    private void Abandon(Region region, RumError why)
    {
        Retire(region);
        for (int i = 0; i < _activeCount;)
        {
            PagerCommand command = _active[i]!;
            if (command.At != region && !(command.All && why == _revoked && why != RumError.None))
            {
                i++;
                continue;
            }

            command.Result = why;
            Forget(command);
            Finish(i);
        }
    }

    /// <summary>Write-backs and trims that still name a command no longer count for it.</summary>
    private void Forget(PagerCommand command)
    {
        for (int w = 0; w < _writes.Length; w++)
            if (_writes[w].Command == command) _writes[w].Command = null;
        for (int t = 0; t < _trims.Length; t++)
        {
            ref Trim trim = ref _trims[t];
            if (trim.Command != command) continue;
            trim.Command = null;
            if (!trim.Sent) EndTrim(ref trim);
        }
    }
}
