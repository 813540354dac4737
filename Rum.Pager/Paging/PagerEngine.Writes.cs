using Rum.Core;
using Rum.FastPath.Client;

namespace Rum.Pager.Paging;

// Write-backs: of evicted pages and of flushes. At most one per page is outstanding.
public sealed unsafe partial class PagerEngine
{
    private readonly WriteBack[] _writes;
    private readonly int[] _writeQueue;
    private readonly int[] _writesAt = new int[IPageChannel.SilosMax];
    private readonly int _writesPerSiloMax;
    private int _unusedWrite = -1;
    private int _unusedWrites;
    private int _writeHead;
    private int _writeQueued;

    private int NewWrite(Region region, long page, int slot, ulong hash, PagerCommand? command)
    {
        int write = _unusedWrite;
        Invariant.Check(write >= 0);
        ref WriteBack w = ref _writes[write];
        _unusedWrite = w.Next;
        _unusedWrites--;
        w = new WriteBack { Region = region, Page = page, Slot = slot, Hash = hash, Command = command, Flush = command is not null, Next = -1 };
        w.Zero = hash == _zeroHash && !new ReadOnlySpan<byte>(SlotAddress(slot), Layout.PageSize).ContainsAnyExcept((byte)0);
        w.Silo = _channel.SiloOf(region.Segment, page);
        _writesAt[w.Silo]++;
        region.Busy++;
        return write;
    }

    /// <summary>How many pages may be written back now to the silo of this one: a silo that stalls holds half of the write-backs at most.</summary>
    private int WritesLeft(Region region, long page) => Math.Min(_unusedWrites, _writesPerSiloMax - _writesAt[_channel.SiloOf(region.Segment, page)]);

    private void ReleaseWrite(int write)
    {
        ref WriteBack w = ref _writes[write];
        Region? region = w.Region;
        if (region is not null) _writesAt[w.Silo]--;
        w.Region = null;
        w.Wanted = false;
        w.Command = null;
        w.Next = _unusedWrite;
        _unusedWrite = write;
        _unusedWrites++;
        if (region is not null) Unbusy(region);
    }

    private void Send(int write)
    {
        if (_writeQueued > 0 || !TrySend(write)) EnqueueWrite(write);
    }

    private bool TrySend(int write)
    {
        ref WriteBack w = ref _writes[write];
        return _channel.TryWrite(w.Region!.Segment, w.Page, w.Zero ? null : SlotAddress(w.Slot), WriteCookie | (uint)write);
    }

    private void EnqueueWrite(int write) => _writeQueue[(_writeHead + _writeQueued++) % _writeQueue.Length] = write;

    private bool SendQueuedWrites()
    {
        bool any = false;
        for (int n = _writeQueued; n > 0; n--)
        {
            int write = _writeQueue[_writeHead];
            bool later = _writes[write].RetryNs > 0 && _writes[write].RetryNs > _mapper.NowNs;
            if (!later && !TrySend(write)) break;
            _writeHead = (_writeHead + 1) % _writeQueue.Length;
            _writeQueued--;
            if (later) EnqueueWrite(write);
            else any = true;
        }

        return any;
    }

    private void WriteEnded(ref PageCompletion c, long nowNs)
    {
        int write = (int)(uint)c.Cookie;
        ref WriteBack w = ref _writes[write];
        Region region = w.Region!;
        bool final = region.Closed || c.Status is PageStatus.Ok or PageStatus.Zero or PageStatus.Gone;
        if (!final && c.Status is (PageStatus.Fenced or PageStatus.Superseded))
        {
            _events.GaveUp(new PageTrouble(region.Segment, w.Page, true, c.Status, nowNs - w.StartNs));
            Abandon(region, RumError.Fenced);
            final = true;
        }

        if (!final)
        {
            w.Status = c.Status;
            w.RetryNs = nowNs + RetryDelayNs(c.Status);
            if (w.StartNs == 0)
            {
                w.StartNs = nowNs;
                w.ReportNs = nowNs + ReportEveryNs;
            }

            if (w.Command is not null && Hopeless(c.Status) is var error and not RumError.None)
            {
                w.Command.Result = error;
                w.Command.Writes--;
                w.Command = null;
            }

            if (Hopeless(c.Status) != RumError.None && region[w.Page].State == PageState.Present)
            {
                // The program has the page: it stays dirty, and whoever flushes or evicts it tries again.
                region.Set(w.Page, region[w.Page].WriteFailed());
                if (!w.Flush) _evicting--;
                GiveSlots(w.Slot, 1);
                ReleaseWrite(write);
                return;
            }

            ArmTimer(w.RetryNs);
            EnqueueWrite(write);
            return;
        }

        if (w.Command is not null) w.Command.Writes--;
        if (region.Closed) Orphaned(ref w);
        else Acknowledged(region, write);
        ReleaseWrite(write);
        if (_queued > 0) _replenish = true;
    }

    /// <summary>What a call hears whose write is refused for a reason that only an operator can mend; None for one that passes by itself.</summary>
    private static RumError Hopeless(PageStatus status) => status switch
    {
        PageStatus.OutOfMemory => RumError.OutOfMemory,
        PageStatus.Lost => RumError.ShardLost,
        _ => RumError.None,
    };

    private bool ForgottenEarly(ref WriteBack w) => _options.Defect == PagerDefect.AbsentAtMoveOut && !w.Flush;

    private void Orphaned(ref WriteBack w)
    {
        GiveSlots(w.Slot, 1);
        if (w.Flush || ForgottenEarly(ref w)) return;
        _evicting--;
        if (!w.Wanted) return;
        _waiting--;
        _rescuesWanted--;
    }

    private void Acknowledged(Region region, int write)
    {
        ref WriteBack w = ref _writes[write];
        PageWord word = region[w.Page];
        if (ForgottenEarly(ref w))
        {
            GiveSlots(w.Slot, 1);
            return;
        }

        if (word.State == PageState.Present)
        {
            _residents[word.Index].Hash = w.Hash;
            region.Set(w.Page, word.WriteDone(!w.Zero));
            if (!w.Flush) _evicting--;
            GiveSlots(w.Slot, 1);
            return;
        }

        _evicting--;
        if (!w.Wanted)
        {
            region.Set(w.Page, word.EvictDone(!w.Zero));
            GiveSlots(w.Slot, 1);
            return;
        }

        _rescuesWanted--;
        if (region.Copies)
        {
            if (!TakeUnbacked(1))
            {
                // No page to copy into: the fault starts again as an ordinary one.
                region.Set(w.Page, word.EvictDone(!w.Zero));
                GiveSlots(w.Slot, 1);
                _waiting--;
                _mapper.Wake(region.AddressOf(w.Page));
                return;
            }

            CopyBack(region, region.AddressOf(w.Page), SlotAddress(w.Slot));
            GiveSlots(w.Slot, 1);
        }
        else
        {
            Fill(region, w.Page, w.Slot);
        }

        int entry = _residents.Add(region, w.Page, w.Hash, word.Pins == 0);
        region.Set(w.Page, word.Return(entry, !w.Zero));
        _rescues++;
        _faults++;
        _waiting--;
        _faultTimes.Add(_mapper.NowNs - w.FaultNs);
    }

    private static long RetryDelayNs(PageStatus status) =>
        status is PageStatus.Lost or PageStatus.OutOfMemory or PageStatus.SessionExpired ? 200_000_000 : 5_000_000;
}
