using Rum.Core;
using Rum.FastPath.Linux;
using Rum.FastPath.Memory;

namespace Rum.FastPath.Client;

/// <summary>
/// Pages of remote segments over lossy drivers: routes by the view, resends what is missing, rides out views that change, silos that are away and
/// answers that come twice. It never gives up by itself: who waits decides how long (<see cref="Cancel"/>). Owned by one thread, except where a
/// member says otherwise. Allocates only when routes change.
/// </summary>
public sealed unsafe partial class PageClient : IPageChannel, IDisposable
{
    /// <summary>The most pages that one read may ask for.</summary>
    public const int ReadPagesMax = 64;

    // Slots of its own for Fence, so that they can't be starved by the writes that wait for them.
    private const int FenceSlots = 32;

    private readonly PageClientOptions _options;
    private readonly int _slotCount;   // requests, then fences, then legs
    private readonly NativeRegion _slotMemory;
    private readonly RequestSlot* _slots;
    private readonly PageAssemblies _assemblies;
    private readonly FenceTable _fences = new();
    private readonly Func<long>? _clock;
    private readonly nint[] _landing;
    private int _landingCount;
    private SlotList _free = SlotList.Empty, _freeFences = SlotList.Empty, _freeLegs = SlotList.Empty, _parked = SlotList.Empty, _failing = SlotList.Empty, _direct = SlotList.Empty;
    private int _oldestWrite = -1, _newestWrite = -1;
    private ulong _session, _packetNumber, _lastSequence;
    private int _fencing;
    private PageClientCounters _counters;

    /// <summary>A client without routes: requests wait until <see cref="SetRoutes"/>.</summary>
    public PageClient(PageClientOptions? options = null)
    {
        _options = options ?? new PageClientOptions();
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(_options.Requests, nameof(options));
        _clock = _options.ClockNs;
        Capacity = _options.Requests;
        _slotCount = Capacity + FenceSlots + (Capacity * SiloSet.Max);
        int slots = _slotCount;
        _slotMemory = new NativeRegion((long)slots * sizeof(RequestSlot));
        _slots = (RequestSlot*)_slotMemory.Start;
        for (int i = 0; i < slots; i++)
        {
            _slots[i].FirstAssembly = _slots[i].Peer = _slots[i].Parent = _slots[i].FirstLeg = _slots[i].NextLeg = -1;
            Append(ref i < Capacity ? ref _free : ref i < Capacity + FenceSlots ? ref _freeFences : ref _freeLegs, i);
        }
        _assemblies = new PageAssemblies(_options.AssembliesMax);
        _landing = new nint[1024];
        _directMemory = new NativeRegion((long)DirectPagesPerPoll * Layout.PageSize);
    }

    /// <inheritdoc/>
    public int Capacity { get; }

    /// <inheritdoc/>
    public int Outstanding { get; private set; }

    /// <summary>The session that requests name; set before the first request.</summary>
    public SessionId Session
    {
        get => new(_session);
        set => _session = value.Value;
    }

    /// <summary>Counters. Any thread.</summary>
    public ref readonly PageClientCounters Counters => ref _counters;

    /// <inheritdoc/>
    public bool TryRead(in SegmentHandle segment, long page, int count, ulong cookie) => TryRead(segment, page, count, cookie, null);

    /// <inheritdoc/>
    public bool TryRead(in SegmentHandle segment, long page, int count, ulong cookie, byte* into)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)(count - 1), (uint)(ReadPagesMax - 1), nameof(count));
        int slot = Begin(segment, RequestKind.Read, page, count, cookie);
        if (slot < 0) return false;
        _slots[slot].Pending = ulong.MaxValue >> (64 - count);
        _slots[slot].Cost = count;
        _slots[slot].Into = into;
        Route(slot);
        return true;
    }

    /// <inheritdoc/>
    public bool TryWrite(in SegmentHandle segment, long page, byte* image, ulong cookie)
    {
        int slot = Begin(segment, RequestKind.Write, page, 1, cookie);
        if (slot < 0) return false;
        _slots[slot].Image = image;
        BeginChange(slot, segment);
        return true;
    }

    /// <inheritdoc/>
    public bool TryTrim(in SegmentHandle segment, long page, int count, ulong cookie)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)(count - 1), (uint)(Layout.PagesPerExtent - 1), nameof(count));
        int slot = Begin(segment, RequestKind.Trim, page, count, cookie);
        if (slot < 0) return false;
        BeginChange(slot, segment);
        return true;
    }

    /// <summary>Says that what was in an extent is lost: accesses to it fail as Lost from then on. For restores.</summary>
    public bool TryLose(in SegmentHandle segment, long extent, ulong cookie)
    {
        int slot = Begin(segment, RequestKind.Trim, extent * Layout.PagesPerExtent, Layout.PagesPerExtent, cookie);
        if (slot < 0) return false;
        _slots[slot].Loses = true;
        BeginChange(slot, segment);
        return true;
    }

    /// <inheritdoc/>
    public void Submit()
    {
        foreach (ClientPort port in _ports) port.Tx.Flush();
    }

    /// <summary>
    /// Gives up the requests with this cookie: they end as TimedOut at the next <see cref="Poll"/>. A write given up may still be applied, or not.
    /// Returns how many there were.
    /// </summary>
    public int Cancel(ulong cookie)
    {
        int count = CancelTakeOver(cookie) ? 1 : 0;
        for (int i = 0; i < Capacity; i++)
        {
            if (_slots[i].Cookie != cookie || _slots[i].State is RequestState.Free or RequestState.Failing) continue;
            Fail(i, PageStatus.TimedOut);
            count++;
        }
        return count;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (ClientPort port in _ports) port.Dispose();
        lock (_handover)
        {
            if (_offered is not null && !ReferenceEquals(_offered, _routes)) _skipped.Add(_offered);
            foreach (ClientRoutes never in _skipped)
                foreach (SiloRoute silo in never.Silos) silo.Driver.Dispose();
            _skipped.Clear();
        }
        _ports = [];
        _assemblies.Dispose();
        _slotMemory.Dispose();
        _directMemory.Dispose();
        _levelMemory?.Dispose();
    }

    private int Begin(in SegmentHandle segment, RequestKind kind, long page, int count, ulong cookie)
    {
        Invariant.Check((page & (Layout.PagesPerExtent - 1)) + count <= Layout.PagesPerExtent && page >= 0 && segment.Segment.Value != 0);
        int index = _free.First;
        if (index < 0) return -1;
        Remove(ref _free, index);
        Outstanding++;
        RequestSlot* slot = _slots + index;
        slot->Cookie = cookie;
        slot->Segment = segment.Segment.Value;
        slot->Page = (ulong)page;
        slot->Count = (ushort)count;
        slot->Token = segment.Token;
        slot->Sequence = 0;
        slot->FirstShard = segment.FirstShard.Value;
        slot->Flags = segment.Flags;
        slot->Kind = kind;
        slot->Image = slot->Into = null;
        slot->Pending = 1;
        slot->Missing = 0;
        slot->Cost = 1;
        slot->Counter++;
        slot->Peer = -1;
        slot->FirstSentNs = 0;
        slot->Resent = slot->Others = false;
        slot->Moves = slot->Probes = 0;
        slot->Loses = false;
        slot->TakesOver = slot->Unlevel = false;
        slot->From = 0;
        return index;
    }

    private void BeginChange(int index, in SegmentHandle segment)
    {
        Invariant.Check(segment.Token != 0);
        RequestSlot* slot = _slots + index;
        slot->Sequence = ++_lastSequence;
        slot->PreviousWrite = _newestWrite;
        slot->NextWrite = -1;
        if (_newestWrite >= 0) _slots[_newestWrite].NextWrite = index; else _oldestWrite = index;
        _newestWrite = index;
        Route(index);
    }

    private long Now => _clock == null ? MonotonicClock.NowNs : _clock();

    /// <summary>Takes the slot out of whatever list it is in and gives back what it holds at its peer.</summary>
    private void Detach(int index)
    {
        RequestSlot* slot = _slots + index;
        switch (slot->State)
        {
            case RequestState.Queued:
                Remove(ref _peers[slot->Peer]!.Queue, index);
                break;
            case RequestState.Sent:
                ClientPeer peer = _peers[slot->Peer]!;
                Remove(ref peer.Sent, index);
                peer.InFlight -= slot->Cost;
                // Sent once more, not taken by the driver yet, and answered meanwhile: the image is its owner's again, who may unmap it.
                if (slot->Image != null && peer.Port.Tx.Count > 0) peer.Port.Tx.Withdraw((uint)index);
                break;
            case RequestState.Parked:
                Remove(ref _parked, index);
                break;
            case RequestState.Direct:
                Remove(ref _direct, index);
                break;
            case RequestState.Failing:
                Remove(ref _failing, index);
                break;
            case RequestState.Fencing:
                _fencing--;
                break;
            case RequestState.Spread:
                while (slot->FirstLeg >= 0) EndLeg(slot->FirstLeg);
                break;
        }
        slot->State = RequestState.Free;
    }

    /// <summary>Ends a request: the slot is free.</summary>
    private void End(int index)
    {
        Detach(index);
        RequestSlot* slot = _slots + index;
        _assemblies.RemoveAll(ref slot->FirstAssembly);
        if (slot->Kind is RequestKind.Fence or RequestKind.List)
        {
            Append(ref _freeFences, index);
            return;
        }
        if (slot->Kind != RequestKind.Read)
        {
            if (slot->PreviousWrite >= 0) _slots[slot->PreviousWrite].NextWrite = slot->NextWrite; else _oldestWrite = slot->NextWrite;
            if (slot->NextWrite >= 0) _slots[slot->NextWrite].PreviousWrite = slot->PreviousWrite; else _newestWrite = slot->PreviousWrite;
        }
        Outstanding--;
        Append(ref _free, index);
    }

    private void Fail(int index, PageStatus status)
    {
        index = ChangeOf(index);
        if (_slots[index].Kind is RequestKind.Write or RequestKind.Trim) BecomesUnsure(_slots[index].Token, _slots[index].Sequence);
        Detach(index);
        _slots[index].State = RequestState.Failing;
        _slots[index].Failure = status;
        Append(ref _failing, index);
    }

    private void Park(int index)
    {
        Detach(index);
        _slots[index].State = RequestState.Parked;
        _slots[index].SentNs = Now;
        _slots[index].Peer = -1;
        _slots[index].Missing = 0;
        _assemblies.RemoveAll(ref _slots[index].FirstAssembly);
        Append(ref _parked, index);
    }

    private void Append(ref SlotList list, int index)
    {
        _slots[index].Next = -1;
        _slots[index].Previous = list.Last;
        if (list.Last >= 0) _slots[list.Last].Next = index; else list.First = index;
        list.Last = index;
    }

    private void Remove(ref SlotList list, int index)
    {
        RequestSlot* slot = _slots + index;
        if (slot->Previous >= 0) _slots[slot->Previous].Next = slot->Next; else list.First = slot->Next;
        if (slot->Next >= 0) _slots[slot->Next].Previous = slot->Previous; else list.Last = slot->Previous;
    }
}
