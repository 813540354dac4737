using System.Numerics;
using Rum.Core;
using Rum.FastPath.Client;

namespace Rum.Pager.Paging;

// Pages on their way in: asked for, received into slots, mapped.
public sealed unsafe partial class PagerEngine
{
    private const int FetchCount = 1024;
    private const ulong WriteCookie = 1UL << 63;

    private readonly Fetch[] _fetches;
    private readonly int[] _queue;
    private readonly int[] _touched = new int[FetchCount];
    private int _unusedFetch = -1;
    private int _queueHead;
    private int _queued;
    private int _touchedCount;
    private long _fetched;
    private long _copied;

    /// <summary>A fetch of one page that a thread waits for. False when no fetch is free: the thread is sent to fault again.</summary>
    private bool StartDemand(Region region, long page, bool local, long nowNs)
    {
        int fetch = NewFetch(region, page, 1);
        if (fetch < 0)
        {
            _mapper.Retry(region.AddressOf(page));
            return false;
        }

        ref Fetch f = ref _fetches[fetch];
        f.Local = local;
        f.Wanted = 1;
        f.Touching = _forPin ? 0UL : 1UL;
        f.FaultNs = nowNs;
        CountWaiting(nowNs);
        region.Set(page, region[page].StartLoad(fetch, false));
        if (!TryIssue(fetch)) Enqueue(fetch);
        return true;
    }

    private ulong CookieOf(int fetch) => (ulong)_fetches[fetch].Use << 32 & ~WriteCookie | (uint)fetch;

    private int NewFetch(Region region, long first, int count)
    {
        int fetch = _unusedFetch;
        if (fetch < 0) return -1;
        ref Fetch f = ref _fetches[fetch];
        _unusedFetch = f.Next;
        uint use = f.Use + 1;
        f = new Fetch { Region = region, First = first, Count = count, Slot = -1, Stream = -1, Next = -1, Use = use };
        region.Busy++;
        return fetch;
    }

    private void ReleaseFetch(int fetch)
    {
        ref Fetch f = ref _fetches[fetch];
        Region? region = f.Region;
        f.Count = 0;
        f.Region = null;
        f.Next = _unusedFetch;
        _unusedFetch = fetch;
        if (region is not null) Unbusy(region);
    }

    /// <summary>Gives a fetch its slot and asks for its pages. False: no slot, no room in the channel, or too early to ask again.</summary>
    private bool TryIssue(int fetch)
    {
        ref Fetch f = ref _fetches[fetch];
        Region region = f.Region!;
        if (f.Slot < 0)
        {
            if (!TakeRoom(region, fetch)) return false;
        }

        if (f.Local)
        {
            new Span<byte>(SlotAddress(f.Slot), Layout.PageSize).Clear();
            _slotHash[f.Slot] = _zeroHash;
            f.Arrived = f.Zeros = 1;
            Touch(fetch);
            return true;
        }

        if (!_channel.TryRead(region.Segment, f.First, f.Count, CookieOf(fetch), SlotAddress(f.Slot))) return false;
        f.Asked = f.All;
        f.RetryNs = 0;
        return true;
    }

    /// <summary>
    /// One slot (and, where pages come by copy, one physical page more) for a fetch of one page. What was fetched ahead gives way: in a small cache whose mapped
    /// pages are pinned it may be all that can.
    /// </summary>
    private bool TakeRoom(Region region, int fetch)
    {
        if (region.Copies && !TakeUnbacked(1) && !(EvictSome(_options.EvictionBatch) > 0 && TakeUnbacked(1)) && !(DropOneAhead() && TakeUnbacked(1))) return false;
        int slot = TakeSlots(1, out _);
        if (slot < 0 && (DropOneAhead() || EvictSome(_options.EvictionBatch) > 0)) slot = TakeSlots(1, out _);
        if (slot < 0)
        {
            if (region.Copies) _unbacked++;
            return false;
        }

        _fetches[fetch].Slot = slot;
        return true;
    }

    private void Enqueue(int fetch)
    {
        _fetches[fetch].Queued = true;
        _queue[(_queueHead + _queued++) % _queue.Length] = fetch;
    }

    private bool IssueQueued()
    {
        bool any = false;
        for (int n = _queued; n > 0; n--)
        {
            int fetch = _queue[_queueHead];
            ref Fetch f = ref _fetches[fetch];
            if (f.RetryNs > _mapper.NowNs)
            {
                _queueHead = (_queueHead + 1) % _queue.Length;
                _queued--;
                Enqueue(fetch);
                continue;
            }

            bool ended = f.Poisoned || f.Region!.Closed;
            if (!ended && !TryIssue(fetch)) break;
            f.Queued = false;
            _queueHead = (_queueHead + 1) % _queue.Length;
            _queued--;
            any = true;
            if (!ended || f.Touched) continue;
            if (f.Poisoned) EndFetch(fetch);
            else EndOrphan(fetch);
        }

        MapTouched();
        return any;
    }

    private void ReadEnded(ref PageCompletion c, long nowNs)
    {
        int fetch = (int)(uint)c.Cookie;
        ref Fetch f = ref _fetches[fetch];
        int k = (int)(c.Page - f.First);
        ulong bit = 1UL << k;
        bool ours = f.Count > 0 && (uint)k < (uint)f.Count && (f.Asked & bit) != 0 && (f.Use & 0x7FFFFFFF) == (uint)(c.Cookie >> 32);
        if (ours)
        {
            f.Asked &= ~bit;
            f.ArrivedNs = nowNs;
            Touch(fetch);
            if ((f.Gone & bit) == 0) Land(fetch, k, ref c);
        }

        if (c.Lent) Relend(ref c);
    }

    /// <summary>Puts an answer into its slot. A lent buffer that a single page came in becomes the slot itself, and the slot is lent instead.</summary>
    private void Land(int fetch, int k, ref PageCompletion c)
    {
        ref Fetch f = ref _fetches[fetch];
        int slot = f.Slot + k;
        ulong bit = 1UL << k;
        if (c.Status == PageStatus.Ok)
        {
            if (c.Lent && f.Count == 1)
            {
                f.Slot = SlotOf(c.Image);
                c.Image = SlotAddress(slot);
                slot = f.Slot;
                _slotHash[slot] = _hash.Of(SlotAddress(slot));
            }
            else if (c.Image == SlotAddress(slot))
            {
                _slotHash[slot] = _hash.Of(c.Image);
            }
            else
            {
                _slotHash[slot] = _hash.Copy(SlotAddress(slot), c.Image);
                _copied++;
            }

            f.Arrived |= bit;
            _fetched++;
        }
        else if (c.Status == PageStatus.Zero)
        {
            new Span<byte>(SlotAddress(slot), Layout.PageSize).Clear();
            _slotHash[slot] = _zeroHash;
            f.Arrived |= bit;
            f.Zeros |= bit;
        }
        else
        {
            f.Status = c.Status;
            bool open = !f.Region!.Closed, final = c.Status is PageStatus.Lost && open;
            // Nobody waits for it: it isn't asked for again.
            if (f.Count > 1 || (final || open && IsGone(c.Status)) && f.Wanted == 0)
            {
                GiveUpOne(ref f, k);
                return;
            }

            if (final)
            {
                GiveUpFault(fetch);
                return;
            }

            f.RetryNs = _mapper.NowNs + RetryDelayNs(c.Status);
            ArmTimer(f.RetryNs);
        }
    }

    private void Relend(ref PageCompletion c)
    {
        if (c.Image is null)
        {
            _landing--;
            return;
        }

        _channel.Lend(c.Image);
    }

    /// <summary>A page of a window can't be had: it leaves the window; if a thread waits for it, it is asked for by itself.</summary>
    private void GiveUpOne(ref Fetch f, int k)
    {
        Region region = f.Region!;
        ulong bit = 1UL << k;
        bool wanted = (f.Wanted & bit) != 0;
        f.Gone |= bit;
        f.Wanted &= ~bit;
        FreeSlot(region, f.Slot + k);
        if (region.Closed) return;
        long page = f.First + k;
        region.Set(page, region[page].AbandonLoad());
        if (!wanted) return;
        _waiting--;
        bool before = _forPin;
        _forPin = (f.Touching & bit) == 0;
        StartDemand(region, page, false, f.FaultNs);
        _forPin = before;
    }

    private void FreeSlot(Region region, int slot)
    {
        _slots.GiveFree(slot);
        if (region.Copies) _unbacked++;
    }

    private void Touch(int fetch)
    {
        ref Fetch f = ref _fetches[fetch];
        if (f.Touched) return;
        f.Touched = true;
        _touched[_touchedCount++] = fetch;
    }

    private void MapTouched()
    {
        while (_touchedCount > 0)
        {
            int fetch = _touched[--_touchedCount];
            ref Fetch f = ref _fetches[fetch];
            f.Touched = false;
            if (f.Poisoned)
            {
                if (!f.Queued) EndFetch(fetch);
                continue;
            }

            if (f.Region!.Closed) EndOrphan(fetch);
            else if (f.RetryNs != 0) Enqueue(fetch);
            else MapReady(fetch);
        }
    }

    /// <summary>
    /// Maps what has arrived: at once what a thread waits for and all that came with it; the rest of a window as it arrives; a window that
    /// nobody has touched yet stays unmapped.
    /// </summary>
    private void MapReady(int fetch)
    {
        ref Fetch f = ref _fetches[fetch];
        ulong ready = f.Arrived & ~f.Gone;
        if (f.Held && f.Asked != 0) return;
        if (f.Wanted == 0 && !f.AtOnce && f.Gone != f.All) return;
        if (ready != 0 && (f.AtOnce || (f.Wanted & ready) != 0 || f.Asked == 0))
        {
            ulong left = ready;
            while (left != 0)
            {
                int k = BitOperations.TrailingZeroCount(left);
                int run = BitOperations.TrailingZeroCount(~(left >> k));
                run = Math.Min(run, SlotPool.Run - k);
                MapRun(ref f, k, run);
                left &= ~(ulong.MaxValue >> (SlotPool.Run - run) << k);
            }

            ulong served = f.Wanted & ready;
            if (served != 0) Served(ref f, BitOperations.PopCount(served));
            f.Wanted &= ~ready;
            f.Gone |= ready;
            f.AtOnce = true;
        }

        if (f.Gone == f.All && f.Asked == 0 && !f.Queued) EndFetch(fetch);
    }

    private void EndFetch(int fetch)
    {
        if (_fetches[fetch].Held) Unhold(fetch);
        if (_fetches[fetch].Ahead) UnlinkAhead(fetch);
        ReleaseFetch(fetch);
    }

    private void Served(ref Fetch f, int faults)
    {
        _waiting -= faults;
        _faults += faults;
        _faultTimes.Add(_mapper.NowNs - f.FaultNs);
    }

    private void MapRun(ref Fetch f, int k, int count)
    {
        Region region = f.Region!;
        long page = f.First + k;
        int slot = f.Slot + k;
        int done;
        if (region.Copies)
        {
            _mapper.CopyIn(region.AddressOf(page), SlotAddress(slot), count, out done);
            for (int i = done; i < count; i++)
            {
                nint address = region.AddressOf(page + i);
                MapOutcome outcome = _mapper.CopyIn(address, SlotAddress(slot + i), 1, out _);
                if (outcome == MapOutcome.Exists && region.Poisoned)
                {
                    _mapper.Drop(address, 1);
                    outcome = _mapper.CopyIn(address, SlotAddress(slot + i), 1, out _);
                }

                if (outcome == MapOutcome.Exists) _mapper.Wake(address);
            }
        }
        else
        {
            _mapper.MoveIn(region.AddressOf(page), slot, count, out done);
            for (int i = done; i < count; i++) Refill(region, page + i, slot + i);
        }

        for (int i = 0; i < count; i++)
        {
            PageWord word = region[page + i];
            int entry = _residents.Add(region, page + i, _slotHash[slot + i], word.Pins == 0);
            region.Set(page + i, word.LoadDone(entry, (f.Zeros >> (k + i) & 1) == 0));
            if (region.Copies) _slots.GiveFree(slot + i);
            else _slots.GiveHole(slot + i);
        }
    }

    /// <summary>The region of a fetch is unmapped: when nothing is asked for any more, its slots are free.</summary>
    private void EndOrphan(int fetch)
    {
        ref Fetch f = ref _fetches[fetch];
        if (f.Asked != 0) return;
        if (f.Slot >= 0)
        {
            for (int k = 0; k < f.Count; k++)
                if ((f.Gone >> k & 1) == 0) FreeSlot(f.Region!, f.Slot + k);
        }

        EndFetch(fetch);
    }
}
