using Rum.Core;
using Rum.Core.Council;
using Rum.FastPath.Drivers;
using Rum.FastPath.Frames;
using Rum.FastPath.Server;

namespace Rum.FastPath.Client;

/// <content>
/// Taking a segment over, first part: every silo that holds some of it records the token and says what it has that others may not have. Nothing is asked twice of a
/// shard whose replicas stay the same meanwhile, so silos that come and go elsewhere don't hold it up.
/// </content>
public sealed unsafe partial class PageClient
{
    private const int TakeOversMax = 8;
    private const long StaleEveryNs = 100_000_000;

    private readonly List<TakeOver> _takeOvers = [];
    private bool _takeOverEnded;

    /// <inheritdoc/>
    public bool TakesOver => true;

    /// <inheritdoc/>
    public bool TryTakeOver(in SegmentHandle segment, long pages, ulong cookie)
    {
        Invariant.Check(segment.Token != 0);
        if (_takeOvers.Count == TakeOversMax) return false;
        long extents = Math.Max(1, Layout.ExtentsFor(pages << Layout.PageShift));
        int shards = (segment.Flags & SegmentFlags.Pinned) != 0 ? 1 : (int)Math.Min(extents, _routes?.Map.RingShards ?? int.MaxValue);
        if (_routes == null) return false;
        _takeOvers.Add(new TakeOver(segment, pages, cookie, shards));
        Outstanding++;
        return true;
    }

    /// <inheritdoc/>
    public Incarnation TakeOverWaitsFor(ulong cookie)
    {
        TakeOver? takeOver = FindTakeOver(cookie);
        if (takeOver == null) return default;
        foreach (ref readonly TakeOver.Silo silo in System.Runtime.InteropServices.CollectionsMarshal.AsSpan(takeOver.Silos))
            if (silo.Step is not (TakeOver.Step.Done or TakeOver.Step.Gone)) return new Incarnation(silo.Incarnation);
        for (int i = 0; i < _slotCount; i++)
            if (_slots[i].TakesOver && _slots[i].Cookie == cookie && _slots[i].State is RequestState.Sent or RequestState.Queued && _slots[i].Peer >= 0)
                return _peers[_slots[i].Peer]!.Incarnation;
        return default;
    }

    private TakeOver? FindTakeOver(ulong cookie)
    {
        foreach (TakeOver takeOver in _takeOvers)
            if (takeOver.Cookie == cookie) return takeOver;
        return null;
    }

    /// <summary>What is under way of it ends by itself, unheard.</summary>
    private bool CancelTakeOver(ulong cookie)
    {
        TakeOver? takeOver = FindTakeOver(cookie);
        if (takeOver == null) return false;
        for (int i = Capacity; i < Capacity + FenceSlots; i++)
            if (_slots[i].TakesOver && _slots[i].Cookie == cookie && _slots[i].State != RequestState.Free) End(i);
        _takeOvers.Remove(takeOver);
        Outstanding--;
        return true;
    }

    /// <summary>Carries the take-overs on; returns how many ended.</summary>
    private int AdvanceTakeOvers(long nowNs, Span<PageCompletion> completions)
    {
        int count = 0;
        _takeOverEnded = false;
        for (int i = 0; i < _takeOvers.Count;)
        {
            TakeOver takeOver = _takeOvers[i];
            takeOver.DueNs = long.MaxValue;
            if (!Advance(takeOver, nowNs))
            {
                i++;
                continue;
            }
            if (count == completions.Length)
            {
                _takeOverEnded = true;
                takeOver.DueNs = 0;
                i++;
                continue;
            }
            completions[count++] = new PageCompletion
            {
                Cookie = takeOver.Cookie,
                Operation = PageOperation.TakeOver,
                Status = takeOver.Failure,
                Version = new PageVersion(takeOver.Segment.Token, 0),
            };
            if (takeOver.Failure == PageStatus.Ok) _counters.TakeOvers++;
            Cancel(takeOver.Cookie);
        }
        return count;
    }

    /// <summary>True: it has ended, one way or the other.</summary>
    private bool Advance(TakeOver takeOver, long nowNs)
    {
        while (takeOver.Failure == PageStatus.Ok && !takeOver.Levels)
        {
            if (takeOver.Decree == 0) BeginRound(takeOver);
            if (!AskSilos(takeOver, nowNs)) return false;
            Judge(takeOver);
            if (takeOver.Left > 0)
            {
                takeOver.Decree = 0;
                continue;
            }
            takeOver.Levels = true;
            if (_options.Defect != TakeOverDefect.LevelsNothing) takeOver.Plan.Close();
        }
        return takeOver.Failure != PageStatus.Ok || Level(takeOver);
    }

    /// <summary>The silos of the shards that aren't done, by the view in force.</summary>
    private void BeginRound(TakeOver takeOver)
    {
        ShardMap map = _routes!.Map;
        takeOver.Decree = takeOver.Seen = map.Decree;
        takeOver.Silos.Clear();
        for (int i = 0; i < takeOver.Done.Length; i++)
        {
            if (takeOver.Done[i]) continue;
            ref readonly ShardPlace place = ref map.Place(ShardOf(takeOver, map, i));
            takeOver.Epochs[i] = place.Epoch;
            if (place.State != ShardState.Served) continue;
            for (int r = 0; r < place.Count; r++)
            {
                ulong life = map.Replica(place, r).Incarnation.Value;
                int known = takeOver.FindSilo(life);
                if (known < 0)
                {
                    if (_options.Defect == TakeOverDefect.FencesOneSilo && takeOver.Silos.Count > 0) continue;
                    known = takeOver.Silos.Count;
                    takeOver.Silos.Add(new TakeOver.Silo { Incarnation = life });
                }
                if (place.Count > 1) Silo(takeOver, known).Lists = true;
            }
        }
    }

    /// <summary>True: all have answered, and the view in force is as new as their answers.</summary>
    private bool AskSilos(TakeOver takeOver, long nowNs)
    {
        bool all = true;
        ulong newest = 0;
        if (takeOver.Seen != _routes!.Map.Decree) LeaveOut(takeOver);
        for (int i = 0; i < takeOver.Silos.Count; i++)
        {
            ref TakeOver.Silo silo = ref Silo(takeOver, i);
            newest = Math.Max(newest, silo.Decree);
            if (silo.Step is TakeOver.Step.Done or TakeOver.Step.Gone) continue;
            int peer = PeerWith(silo.Incarnation);
            all = false;
            if (silo.Step == TakeOver.Step.Asked || peer < 0) continue;
            if (nowNs < silo.RetryNs) takeOver.DueNs = Math.Min(takeOver.DueNs, silo.RetryNs);
            else if (!AskSilo(takeOver, ref silo, peer)) takeOver.DueNs = Math.Min(takeOver.DueNs, nowNs + _options.ParkNs);
        }
        if (all && newest <= _routes!.Map.Decree) return true;
        // A silo that doesn't answer may have been taken out by a view that nobody tells us of.
        if (takeOver.StaleNs == 0) takeOver.StaleNs = nowNs + (all ? 0 : StaleEveryNs);
        if (nowNs >= takeOver.StaleNs)
        {
            takeOver.StaleNs = nowNs + StaleEveryNs;
            _staleReported = false;
            ReportStaleView();
        }
        takeOver.DueNs = Math.Min(takeOver.DueNs, takeOver.StaleNs);
        return false;
    }

    /// <summary>
    /// By a newer view: silos that hold no shard any more that is to be done in this round, as they may never answer. What they held has other replicas, which the
    /// next round asks.
    /// </summary>
    private void LeaveOut(TakeOver takeOver)
    {
        ShardMap map = _routes!.Map;
        takeOver.Seen = map.Decree;
        var needed = new HashSet<ulong>();
        for (int i = 0; i < takeOver.Done.Length; i++)
        {
            if (takeOver.Done[i]) continue;
            ref readonly ShardPlace place = ref map.Place(ShardOf(takeOver, map, i));
            for (int r = 0; place.Epoch == takeOver.Epochs[i] && r < place.Count; r++) needed.Add(map.Replica(place, r).Incarnation.Value);
        }
        for (int i = 0; i < takeOver.Silos.Count; i++)
        {
            ref TakeOver.Silo silo = ref Silo(takeOver, i);
            if (silo.Step is TakeOver.Step.Done or TakeOver.Step.Gone || needed.Contains(silo.Incarnation)) continue;
            silo.Step = TakeOver.Step.Gone;
            for (int slot = Capacity; slot < Capacity + FenceSlots; slot++)
            {
                bool its = _slots[slot].State != RequestState.Free && _slots[slot].TakesOver && _slots[slot].Cookie == takeOver.Cookie;
                if (its && _peers[_slots[slot].Peer]!.Incarnation.Value == silo.Incarnation) End(slot);
            }
        }
    }

    private bool AskSilo(TakeOver takeOver, ref TakeOver.Silo silo, int peer)
    {
        bool list = silo.Step == TakeOver.Step.ToList;
        int index = TakeFenceSlot(list ? RequestKind.List : RequestKind.Fence);
        if (index < 0) return false;
        RequestSlot* slot = _slots + index;
        slot->Cookie = takeOver.Cookie;
        slot->Segment = takeOver.Segment.Segment.Value;
        slot->Token = takeOver.Segment.Token;
        slot->Flags = takeOver.Segment.Flags;
        slot->Page = list ? silo.Cursor : 0;
        slot->Sequence = takeOver.Decree;
        slot->Peer = peer;
        slot->TakesOver = slot->Unlevel = true;
        silo.Step = TakeOver.Step.Asked;
        Enqueue(index);
        return true;
    }

    /// <summary>Fences and lists: of a take-over, or of a request that waits for the fence.</summary>
    private void HandleQuestion(int index, in RxFrame frame, FrameHeader* header)
    {
        if (!_slots[index].TakesOver)
        {
            HandleFenceAnswer(index, header);
            return;
        }
        RequestSlot request = _slots[index];
        ulong life = _peers[request.Peer]!.Incarnation.Value;
        End(index);
        TakeOver? takeOver = FindTakeOver(request.Cookie);
        int at = takeOver?.FindSilo(life) ?? -1;
        if (at < 0) return;
        ref TakeOver.Silo silo = ref Silo(takeOver!, at);
        switch ((PageStatus)header->Status)
        {
            case PageStatus.Ok when header->Incarnation == life && header->Sequence >= takeOver!.Decree:
                silo.Decree = header->Sequence;
                if (request.Kind == RequestKind.List)
                {
                    TakeList(takeOver, ref silo, frame, header);
                    return;
                }
                Recorded(request.Segment, life, request.Token);
                bool lists = (header->Flags & FrameFlags.Unlevel) != 0 && silo.Lists;
                (silo.Step, silo.Cursor) = (lists ? TakeOver.Step.ToList : TakeOver.Step.Done, 0);
                return;
            case PageStatus.Fenced or PageStatus.Gone or PageStatus.OutOfMemory or PageStatus.Malformed:
                takeOver!.Failure = (PageStatus)header->Status;
                return;
            default:
                silo.Step = TakeOver.Step.ToFence;
                silo.RetryNs = Now + _options.ParkNs;
                ReportStaleView();
                return;
        }
    }

    private void TakeList(TakeOver takeOver, ref TakeOver.Silo silo, in RxFrame frame, FrameHeader* header)
    {
        ShardMap map = _routes!.Map;
        foreach (ref readonly UnlevelPages entry in new ReadOnlySpan<UnlevelPages>(frame.Payload, frame.PayloadLength / UnlevelPages.Size))
        {
            if (entry.Page >= (ulong)takeOver.Pages) continue;
            ref readonly ShardPlace place = ref map.Place(map.ShardOfPage(takeOver.Segment.FirstShard, takeOver.Segment.Flags, (long)entry.Page));
            if (place.Count > 1) takeOver.Plan.Add(entry, takeOver.Pages, IsInSync(place, silo.Incarnation) ? silo.Incarnation : 0);
        }
        (silo.Step, silo.Cursor) = (header->Page == PagePool.ListEnd ? TakeOver.Step.Done : TakeOver.Step.ToList, header->Page);
    }

    /// <summary>Done is a shard all of whose replicas have answered, by views in which its epoch is the same as before and now.</summary>
    private void Judge(TakeOver takeOver)
    {
        ShardMap map = _routes!.Map;
        for (int i = 0; i < takeOver.Done.Length; i++)
        {
            if (takeOver.Done[i]) continue;
            ref readonly ShardPlace place = ref map.Place(ShardOf(takeOver, map, i));
            bool done = place.Epoch == takeOver.Epochs[i];
            for (int r = 0; done && place.State == ShardState.Served && r < place.Count; r++)
            {
                int at = takeOver.FindSilo(map.Replica(place, r).Incarnation.Value);
                done = at < 0 ? _options.Defect == TakeOverDefect.FencesOneSilo : Silo(takeOver, at).Step == TakeOver.Step.Done;
            }
            if (!done) continue;
            takeOver.Done[i] = true;
            takeOver.Left--;
        }
    }

    /// <summary>A question stays with its silo when the view changes, or is asked again where the way is another one.</summary>
    private void MoveQuestion(int index, ClientPeer old, ClientPeer?[] peers)
    {
        int stays = Array.IndexOf(peers, old);
        if (stays >= 0)
        {
            _slots[index].Peer = stays;
            return;
        }
        TakeOver? takeOver = FindTakeOver(_slots[index].Cookie);
        int at = takeOver?.FindSilo(old.Incarnation.Value) ?? -1;
        if (at >= 0) Silo(takeOver!, at).Step = TakeOver.Step.ToFence;
        if (takeOver != null) takeOver.DueNs = 0;
        End(index);
    }

    private void Recorded(ulong segment, ulong incarnation, ulong token)
    {
        int fence = _fences.FindOrAdd(segment, incarnation);
        if (fence >= 0 && !_fences[fence].Asking) _fences[fence].Token = token;
    }

    private int PeerWith(ulong incarnation)
    {
        for (int i = 0; i < _peers.Length; i++)
            if (_peers[i]!.Incarnation.Value == incarnation) return i;
        return -1;
    }

    private bool IsInSync(in ShardPlace place, ulong incarnation)
    {
        for (int i = 0; i < place.InSync; i++)
            if (_routes!.Map.Replica(place, i).Incarnation.Value == incarnation) return true;
        return false;
    }

    private static ref TakeOver.Silo Silo(TakeOver takeOver, int index) => ref System.Runtime.InteropServices.CollectionsMarshal.AsSpan(takeOver.Silos)[index];

    private static ShardId ShardOf(TakeOver takeOver, ShardMap map, int index) =>
        SegmentLayout.ShardOf(takeOver.Segment.FirstShard, takeOver.Segment.Flags, index, map.RingShards);
}
