using System.Runtime.Intrinsics.X86;
using Rum.Core;

namespace Rum.Pager.Paging;

// Pages on their way out: the oldest first, clean ones before dirty ones when writes pile up.
public sealed unsafe partial class PagerEngine
{
    private const int LookAtMost = 64;

    private int _evicting;
    private long _evictions;
    private long _writeBacks;
    private long _busyVictims;

    /// <summary>
    /// Brings the free slots back to their target. One page at a time where sends are cheap (a batch would delay the next fault),
    /// a batch where each send costs a system call.
    /// </summary>
    private void Replenish()
    {
        _replenish = false;
        int batch = _options.EvictionBatch;
        while (true)
        {
            int room = _slots.Free + _unbacked - _keepSlots + Math.Min(_evicting, _freeTarget / 2);
            int need = _freeTarget - room;
            if (need < batch) return;
            if (EvictSome(Math.Min(Math.Max(need, batch), SlotPool.Run)) == 0) return;
        }
    }

    /// <summary>Takes up to <paramref name="want"/> of the oldest pages away from the program. Returns how many went; 0: none can.</summary>
    private int EvictSome(int want)
    {
        int held = 0;
        for (int looked = 0, entry = _residents.Oldest; entry != 0 && looked < LookAtMost; looked++)
        {
            ref ResidentList.Entry e = ref _residents[entry];
            Region region = e.Region;
            long page = e.Page;
            if (region.IsHeld(page))
            {
                // Not counted: however many are held, the pins' budget leaves some that are not, and behind those these come last.
                int next = e.Next;
                _residents.MoveToEnd(entry);
                entry = next;
                looked--;
                if (++held > _residents.Count) break;
                continue;
            }

            bool onlyClean = WritesLeft(region, page) <= 0;
            if (region[page].Writing || onlyClean && !IsClean(region, page, e.Hash))
            {
                int next = e.Next;
                _residents.MoveToEnd(entry);
                entry = next;
                // Those of a silo that takes no more writes aren't counted either: behind them are others'.
                if (!onlyClean || _unusedWrites == 0) continue;
                looked--;
                if (++held > _residents.Count) break;
                continue;
            }

            int run = 1;
            int following = e.Next;
            while (run < want && following != 0)
            {
                ref ResidentList.Entry f = ref _residents[following];
                if (f.Region != region || f.Page != page + run || Layout.ExtentOfPage(f.Page) != Layout.ExtentOfPage(page) || region[f.Page].Writing) break;
                following = f.Next;
                run++;
            }

            PrefetchIntoCache(following);
            int gone = EvictRun(region, page, run);
            if (gone > 0) return gone;
            entry = _residents.Oldest;
        }

        // Holds end without a word to this thread.
        if (held > 0) ArmTimer(_mapper.NowNs + HeldRetryNs);
        return 0;
    }

    private bool IsClean(Region region, long page, ulong hash) =>
        region.ReadOnly || !region[page].Dirty && _hash.Of(_mapper.View(region.AddressOf(page))) == hash;

    /// <summary>
    /// Takes a run of mapped pages away. Returns how many of its front went; the page it stopped at goes to the end of the list.
    /// </summary>
    private int EvictRun(Region region, long page, int count)
    {
        int free = region.Leave(page, count);
        int gone = free > 0 ? TakeRun(region, page, free) : 0;
        region.Left();
        if (free == 0) _residents.MoveToEnd(region[page].Index);
        return gone;
    }

    private int TakeRun(Region region, long page, int count)
    {
        if (region.ReadOnly) return DropRun(region, page, count);
        if (region.Copies) return CopyOut(region, page);
        count = Math.Min(count, Math.Max(WritesLeft(region, page), 1));
        int slot = _slots.TakeHoles(count, out int got);
        Invariant.Check(slot >= 0);
        MapOutcome outcome = _mapper.MoveOut(slot, region.AddressOf(page), got, out int done);
        for (int i = done; i < got; i++) _slots.GiveHole(slot + i);
        for (int i = 0; i < done; i++) MovedOut(region, page + i, slot + i);
        if (outcome == MapOutcome.Done) return done;
        Obstacle(region, page + done, outcome);
        return done;
    }

    private void Obstacle(Region region, long page, MapOutcome outcome)
    {
        PageWord word = region[page];
        if (outcome == MapOutcome.Missing)
        {
            // The program gave the page to the kernel itself (madvise): it asked for zeros.
            _residents.Remove(word.Index, word.Pins == 0);
            _unbacked++;
            region.Set(page, word.Discard());
            return;
        }

        _busyVictims++;
        if (word.Pins == 0) _residents.MoveToEnd(word.Index);
    }

    /// <summary>The page is in the slot now and nobody can store into it: decide by its hash whether the silo has it.</summary>
    private void MovedOut(Region region, long page, int slot)
    {
        PageWord word = region[page];
        int entry = word.Index;
        ulong hash = _hash.Of(SlotAddress(slot));
        bool clean = hash == _residents[entry].Hash && !word.Dirty;
        _residents.Remove(entry, true);
        _evictions++;
        if (clean)
        {
            region.Set(page, word.DropClean());
            _slots.GiveFree(slot);
            return;
        }

        if (_options.Defect == PagerDefect.AbsentAtMoveOut)
        {
            EvictBadly(region, page, slot, hash);
            return;
        }

        if (WritesLeft(region, page) <= 0)
        {
            // It was clean when looked at in place and was stored to since: it goes back and stays dirty.
            MapBack(region, page, slot, ~hash);
            return;
        }

        int write = NewWrite(region, page, slot, hash, null);
        region.Set(page, word.StartEvict(write));
        _evicting++;
        _writeBacks++;
        Send(write);
    }

    private void MapBack(Region region, long page, int slot, ulong hash)
    {
        Fill(region, page, slot);
        int entry = _residents.Add(region, page, hash, true);
        PageWord word = region[page];
        region.Set(page, word.DropClean().StartLoad(0, false).LoadDone(entry, region.IsRemote(word)));
    }

    /// <summary>What a careless evictor does; exists so that the stress can show that it would notice.</summary>
    private void EvictBadly(Region region, long page, int slot, ulong hash)
    {
        int write = NewWrite(region, page, slot, hash, null);
        region.Set(page, region[page].StartEvict(write).EvictDone(true));
        _writeBacks++;
        Send(write);
    }

    /// <summary>Pages of a read-only region are never dirty.</summary>
    private int DropRun(Region region, long page, int count)
    {
        _mapper.Drop(region.AddressOf(page), count);
        for (int i = 0; i < count; i++)
        {
            PageWord word = region[page + i];
            _residents.Remove(word.Index, true);
            region.Set(page + i, word.DropClean());
        }

        _unbacked += count;
        _evictions += count;
        return count;
    }

    /// <summary>
    /// Without MOVE: hold off stores, look, copy if dirty, drop, wake. A page that the kernel holds for direct I/O can't be seen here, so a
    /// transfer into it may be lost: such programs must pin.
    /// </summary>
    private int CopyOut(Region region, long page)
    {
        nint address = region.AddressOf(page);
        PageWord word = region[page];
        _mapper.Protect(address, true);
        byte* view = _mapper.View(address);
        ulong hash = _hash.Of(view);
        int slot = -1;
        if (word.Dirty || hash != _residents[word.Index].Hash)
        {
            slot = WritesLeft(region, page) <= 0 ? -1 : TakeSlots(1, out _);
            if (slot < 0)
            {
                _mapper.Protect(address, false);
                _residents.MoveToEnd(word.Index);
                return 0;
            }

            Copy(SlotAddress(slot), view);
        }

        _mapper.Drop(address, 1);
        _unbacked++;
        _residents.Remove(word.Index, true);
        _evictions++;
        if (slot < 0)
        {
            region.Set(page, word.DropClean());
        }
        else
        {
            int write = NewWrite(region, page, slot, hash, null);
            region.Set(page, word.StartEvict(write));
            _evicting++;
            _writeBacks++;
            Send(write);
        }

        _mapper.Wake(address);
        return 1;
    }

    /// <summary>The next victim's hash is then computed from the cache: 0.58 to 0.33 us.</summary>
    private void PrefetchIntoCache(int entry)
    {
        if (entry == 0 || !Sse.IsSupported) return;
        ref ResidentList.Entry e = ref _residents[entry];
        byte* view = _mapper.View(e.Region.AddressOf(e.Page));
        for (int i = 0; i < Layout.PageSize; i += 64) Sse.Prefetch0(view + i);
    }
}
