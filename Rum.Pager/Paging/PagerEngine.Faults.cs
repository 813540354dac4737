using Rum.Core;

namespace Rum.Pager.Paging;

// A fault message, by the state of its page.
public sealed unsafe partial class PagerEngine
{
    private const int ZeroRun = 16;

    private int _waiting;
    private long _faults;
    private long _zeroFills;
    private long _rescues;
    private int _rescuesWanted;

    /// <summary>
    /// A thread waits for the page at <paramref name="address"/>. <paramref name="protect"/>: it waits to store into a write-protected one.
    /// Repeated messages are dropped by the page's state.
    /// </summary>
    public void OnFault(nint address, bool protect, long nowNs)
    {
        address &= ~(nint)(Layout.PageSize - 1);
        Region? region = _regions.Find(address);
        if (region is null)
        {
            _mapper.Wake(address);
            return;
        }

        long page = (address - region.Address) >> Layout.PageShift;
        PageWord word = region[page];
        switch (word.State)
        {
            case PageState.Absent when region.IsRemote(word):
                FaultOnRemote(region, page, nowNs);
                break;
            case PageState.Absent:
                FaultOnZero(region, page, nowNs);
                break;
            case PageState.Loading:
                FaultOnLoading(region, page, word.Index, nowNs);
                break;
            case PageState.Present:
                FaultOnPresent(region, page, protect);
                break;
            case PageState.Evicting:
                FaultOnEvicting(region, page, word.Index, nowNs);
                break;
        }
    }

    private void FaultOnRemote(Region region, long page, long nowNs)
    {
        if (!StartDemand(region, page, false, nowNs)) return;
        Follow(region, page);
        _replenish = true;
    }

    /// <summary>Nobody holds anything for the page. A program that fills memory front to back gets a run at a time.</summary>
    private void FaultOnZero(Region region, long page, long nowNs)
    {
        int want = Sequential(region, page) ? Math.Min(ZeroRun, _freeTarget / 4) : 1;
        int count = 1;
        while (count < want && page + count < region.Pages && Untouched(region, page + count)) count++;
        if (_unbacked >= count && (_mapper.MovesZeroPages || region.Copies))
        {
            MapOutcome outcome = _mapper.Zero(region.AddressOf(page), count, out int done);
            if (outcome == MapOutcome.Exists && done == 0 && region.Poisoned)
            {
                // The mark of an access that was given up.
                _mapper.Drop(region.AddressOf(page), 1);
                outcome = _mapper.Zero(region.AddressOf(page), count, out done);
            }

            _unbacked -= done;
            for (int i = 0; i < done; i++) InstallZero(region, page + i);
            if (outcome == MapOutcome.Exists && done == 0) AdoptStranger(region, page);
        }
        else if (!region.Copies && FillWithZeros(region, page, count))
        {
        }
        else if (!StartDemand(region, page, true, nowNs))
        {
            return;
        }
        else
        {
            _replenish = true;
            return;
        }

        _faults++;
        _faultTimes.Add(_mapper.NowNs - nowNs);
        _replenish = true;
    }

    /// <summary>Zeros out of the pool, when the cache is full: one MOVE for as many as there is a run of slots.</summary>
    private bool FillWithZeros(Region region, long page, int count)
    {
        if (count > 1 && _slots.Free < count) EvictSome(count);
        int slot = TakeSlots(count, out int got);
        if (slot < 0) return false;
        new Span<byte>(SlotAddress(slot), got << Layout.PageShift).Clear();
        if (_mapper.MoveIn(region.AddressOf(page), slot, got, out int done) != MapOutcome.Done)
        {
            for (int i = done; i < got; i++) Refill(region, page + i, slot + i);
        }

        for (int i = 0; i < got; i++)
        {
            InstallZero(region, page + i);
            _slots.GiveHole(slot + i);
        }

        return true;
    }

    private void Refill(Region region, long page, int slot)
    {
        nint address = region.AddressOf(page);
        MapOutcome outcome = _mapper.MoveIn(address, slot, 1, out _);
        if (outcome == MapOutcome.Exists && region.Poisoned)
        {
            // What stands there is the mark of a fault that was given up; the page has come after all.
            _mapper.Drop(address, 1);
            outcome = _mapper.MoveIn(address, slot, 1, out _);
        }

        if (outcome != MapOutcome.Done) FillOtherwise(address, slot, outcome);
    }

    private static bool Untouched(Region region, long page)
    {
        PageWord word = region[page];
        return word.State == PageState.Absent && !region.IsRemote(word);
    }

    private void InstallZero(Region region, long page)
    {
        PageWord word = region[page];
        int entry = _residents.Add(region, page, _zeroHash, word.Pins == 0);
        region.Set(page, word.ZeroFill(entry));
        _zeroFills++;
    }

    /// <summary>
    /// A page is mapped that we never mapped (the kernel made it, as after mremap). It is the program's, and dirty by definition;
    /// a physical page is taken off the pool for it, so that the limit still holds.
    /// </summary>
    private void AdoptStranger(Region region, long page)
    {
        if (!TakeUnbacked(1))
        {
            _mapper.Drop(region.AddressOf(page), 1);
            _mapper.Wake(region.AddressOf(page));
            return;
        }

        int entry = _residents.Add(region, page, ~_zeroHash, region[page].Pins == 0);
        region.Set(page, region[page].ZeroFill(entry));
        _mapper.Wake(region.AddressOf(page));
    }

    private void FaultOnLoading(Region region, long page, int fetch, long nowNs)
    {
        ref Fetch f = ref _fetches[fetch];
        ulong bit = 1UL << (int)(page - f.First);
        if (!_forPin) f.Touching |= bit;
        if ((f.Wanted & bit) != 0) return;
        bool ahead = f.Ahead && f.Wanted == 0;
        if (f.Wanted == 0) f.FaultNs = nowNs;
        f.Wanted |= bit;
        CountWaiting(nowNs);
        long first = f.First;
        int count = f.Count, stream = f.Stream;
        if (ahead && f.Asked != 0) Hold(fetch, nowNs);
        else MapReady(fetch);
        if (!ahead) return;
        FollowHit(region, stream, first, count);
        _replenish = true;
    }

    /// <summary>
    /// The page is there as far as we know: a repeated message, or a store that met write-protection. If it is not there (the program itself
    /// gave it to the kernel by madvise), it reads as zeros, as that call promises.
    /// </summary>
    private void FaultOnPresent(Region region, long page, bool protect)
    {
        nint address = region.AddressOf(page);
        if (protect) _mapper.Protect(address, false);
        else if (_mapper.Zero(address, 1, out _) == MapOutcome.Exists) _mapper.Wake(address);
    }

    /// <summary>The page is on its way out: the program gets a copy, never the slot, whose image must not change until acknowledged.</summary>
    private void FaultOnEvicting(Region region, long page, int write, long nowNs)
    {
        ref WriteBack w = ref _writes[write];
        if (w.Wanted)
        {
            w.Touching |= !_forPin;
            return;
        }

        if (!TryRescue(region, page, write))
        {
            if (EvictSome(1) == 0 || !TryRescue(region, page, write))
            {
                w.Wanted = true;
                w.Touching = !_forPin;
                w.FaultNs = nowNs;
                CountWaiting(nowNs);
                _rescuesWanted++;
                return;
            }
        }

        _faults++;
        _faultTimes.Add(_mapper.NowNs - nowNs);
        _replenish = true;
    }

    /// <summary>Faults that found no slot for their copy: there may be one now.</summary>
    private bool RetryRescues(long nowNs)
    {
        bool any = false;
        for (int write = 0; write < _writes.Length && _rescuesWanted > 0; write++)
        {
            ref WriteBack w = ref _writes[write];
            if (!w.Wanted || w.Region!.Closed) continue;
            if (!TryRescue(w.Region, w.Page, write) && (EvictSome(1) == 0 || !TryRescue(w.Region, w.Page, write))) break;
            w.Wanted = false;
            _rescuesWanted--;
            _waiting--;
            _faults++;
            _faultTimes.Add(nowNs - w.FaultNs);
            any = true;
        }

        return any;
    }

    private bool TryRescue(Region region, long page, int write)
    {
        ref WriteBack w = ref _writes[write];
        byte* image = SlotAddress(w.Slot);
        nint address = region.AddressOf(page);
        if (region.Copies)
        {
            if (!TakeUnbacked(1)) return false;
            CopyBack(region, address, image);
        }
        else
        {
            int slot = TakeSlots(1, out _);
            if (slot < 0) return false;
            Copy(SlotAddress(slot), image);
            Fill(region, page, slot);
        }

        PageWord word = region[page];
        int entry = _residents.Add(region, page, w.Hash, word.Pins == 0);
        region.Set(page, word.Rescue(entry));
        _rescues++;
        return true;
    }

    /// <summary>Maps a copy at a missing page, also where an access to it was given up.</summary>
    private void CopyBack(Region region, nint address, byte* image)
    {
        if (_mapper.CopyIn(address, image, 1, out _) != MapOutcome.Exists || !region.Poisoned) return;
        _mapper.Drop(address, 1);
        _mapper.CopyIn(address, image, 1, out _);
    }

    /// <summary>Maps one slot that is ours at a missing page; the slot is a hole afterwards.</summary>
    private void Fill(Region region, long page, int slot)
    {
        Refill(region, page, slot);
        _slots.GiveHole(slot);
    }

    /// <summary>MOVE found the slot held by the kernel, or a page there already: a copy does it; the slot's own physical page goes.</summary>
    private void FillOtherwise(nint address, int slot, MapOutcome outcome)
    {
        Invariant.Check(outcome != MapOutcome.Missing);
        if (outcome == MapOutcome.Exists || _mapper.CopyIn(address, SlotAddress(slot), 1, out _) == MapOutcome.Exists) _mapper.Wake(address);
        _mapper.UnbackSlots(slot, 1);
    }

    private static void Copy(byte* to, byte* from) => new ReadOnlySpan<byte>(from, Layout.PageSize).CopyTo(new Span<byte>(to, Layout.PageSize));
}
