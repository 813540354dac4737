using Rum.Core;
using Rum.FastPath.Drivers;
using Rum.FastPath.Frames;

namespace Rum.FastPath.Client;

/// <content>Answers, completions, waiting.</content>
public sealed unsafe partial class PageClient
{
    /// <inheritdoc/>
    public int LandingBuffers { get; private set; }

    /// <inheritdoc/>
    public bool NeedsTimers => true;

    /// <inheritdoc/>
    public long NextDeadlineNs
    {
        get
        {
            long next = _parked.First >= 0 ? _slots[_parked.First].SentNs + _options.ParkNs : long.MaxValue;
            if (_failing.First >= 0 || _direct.First >= 0) next = 0;
            foreach (TakeOver takeOver in _takeOvers) next = Math.Min(next, takeOver.DueNs);
            foreach (ClientPeer? peer in _peers)
            {
                if (peer!.Sent.First < 0) continue;
                next = Math.Min(next, _slots[peer.Sent.First].SentNs + peer.WaitNs(_slots[peer.Sent.First].Probes));
                if (_anyReplicated) next = Math.Min(next, NextMoveNs(peer));
            }
            return next;
        }
    }

    /// <inheritdoc/>
    public void Lend(byte* buffer)
    {
        Invariant.Check(_landingCount < _landing.Length);
        _landing[_landingCount++] = (nint)buffer;
    }

    /// <inheritdoc/>
    public int Poll(long nowNs, Span<PageCompletion> completions)
    {
        if (!ReferenceEquals(_offered, _routes)) AdoptRoutes();
        _assemblies.TakeBack();
        int count = ReportFailures(completions);
        foreach (ClientPort port in _ports)
        {
            port.Driver.Release();
            count += Receive(port, nowNs, completions[count..]);
            LookAfter(port);
        }
        if (_direct.First >= 0 && !StillComes()) count += ReadDirectly(completions[count..]);
        foreach (ClientPeer? peer in _peers)
        {
            if (peer!.Sent.First < 0 && peer.Queue.First < 0) continue;
            if (_anyReplicated) MoveReads(peer, nowNs);
            Pump(peer, nowNs);
        }
        if (_parked.First >= 0) RetryParked(nowNs);
        if (_takeOvers.Count > 0) count += AdvanceTakeOvers(nowNs, completions[count..]);
        foreach (ClientPort port in _ports) port.Tx.Flush();
        return count;
    }

    /// <inheritdoc/>
    public int WaitDescriptors(Span<int> descriptors)
    {
        int count = 0;
        foreach (ClientPort port in _ports)
        {
            if (port.Driver.WaitDescriptor < 0) return -1;
            descriptors[count++] = port.Driver.WaitDescriptor;
        }
        return count;
    }

    /// <inheritdoc/>
    public bool PrepareWait()
    {
        bool idle = _failing.First < 0 && _direct.First < 0 && !_takeOverEnded && ReferenceEquals(Volatile.Read(ref _offered), _routes);
        foreach (ClientPort port in _ports) idle &= port.Tx.Count == 0 && port.Driver.PrepareWait();
        return idle;
    }

    /// <inheritdoc/>
    public void FinishWait()
    {
        foreach (ClientPort port in _ports) port.Driver.FinishWait();
    }

    private int Receive(ClientPort port, long nowNs, Span<PageCompletion> completions)
    {
        // A frame ends at most one page, so what is received fits.
        int want = Math.Min(ClientPort.Burst, completions.Length);
        if (want == 0) return 0;
        if (port.UsesLanding)
        {
            for (int i = 0; i < want && _landingCount > 0; i++)
                if (port.Rx[i].Landing == null) port.Rx[i].Landing = (byte*)_landing[--_landingCount];
        }
        int received = port.Driver.Receive(port.Rx.AsSpan(0, want)), count = 0;
        for (int i = 0; i < received; i++)
        {
            ref RxFrame frame = ref port.Rx[i];
            FrameFault fault = FrameCodec.Check(frame.Header, frame.Payload, frame.PayloadLength, port.Checksummed);
            var header = (FrameHeader*)frame.Header;
            if (fault == FrameFault.None && header->Type is not (>= FrameType.ReadAnswer and <= FrameType.FenceAnswer or FrameType.ListPagesAnswer)) fault = FrameFault.Type;
            if (fault != FrameFault.None) _counters.Faults[(int)fault]++;
            else if (Handle(port, ref frame, header, nowNs, out completions[count])) count++;
        }
        return count;
    }

    /// <summary>True: a page ended, and the completion says how.</summary>
    private bool Handle(ClientPort port, ref RxFrame frame, FrameHeader* header, long nowNs, out PageCompletion completion)
    {
        completion = default;
        RequestSlot* slot = _slots + header->Slot;
        // Sent and queued both: an answer to the first sending may come while the slot waits to be sent once more.
        if (header->Slot >= _slotCount || slot->Counter != header->Counter || slot->State is not (RequestState.Sent or RequestState.Queued)
            || header->Session != _session || slot->Segment != header->Segment || (byte)header->Type != ((byte)TypeOf(slot->Kind) | 0x80))
        {
            _counters.LateAnswers++;
            return false;
        }
        ClientPeer peer = _peers[slot->Peer]!;
        if (peer.Port != port || peer.Incarnation.Value != header->Incarnation)
        {
            // An answer of another life: only that it refuses us is of interest.
            if (peer.Port != port || frame.Peer != peer.Address || header->Status != (ushort)PageStatus.StaleIncarnation) _counters.LateAnswers++;
            else if (slot->Kind is RequestKind.Fence or RequestKind.List) HandleQuestion((int)header->Slot, frame, header);
            else Reroute((int)header->Slot);
            return false;
        }
        // Refusals may come of another generation: they are what says so.
        if (header->Generation != _routes!.Map.FrameGeneration && header->Status is (ushort)PageStatus.Ok or (ushort)PageStatus.Zero)
        {
            _counters.LateAnswers++;
            return false;
        }
        peer.Answered(slot->Resent || slot->FirstSentNs == 0 ? -1 : nowNs - slot->FirstSentNs);
        peer.HeardNs = nowNs;
        peer.AvoidUntilNs = 0;
        if (header->Credits > 0) peer.Credits = header->Credits;
        int index = (int)header->Slot;
        if (slot->Kind is RequestKind.Fence or RequestKind.List)
        {
            HandleQuestion(index, frame, header);
            return false;
        }
        var status = (PageStatus)header->Status;
        if (status == PageStatus.Incomplete)
        {
            SendMissing(index, header->Sequence);
            return false;
        }
        if (status is not (PageStatus.Ok or PageStatus.Zero))
        {
            HandleRefusal(index, status);
            return false;
        }
        if (header->Epoch != slot->Epoch)
        {
            _counters.LateAnswers++;
            return false;
        }
        if (slot->Count > 1 && slot->State == RequestState.Sent)
        {
            // A read of many pages that is being answered is not late.
            slot->SentNs = nowNs;
            Remove(ref peer.Sent, index);
            Append(ref peer.Sent, index);
        }
        return slot->Kind == RequestKind.Read
            ? HandlePage(index, ref frame, header, out completion)
            : HandleAcknowledgement(index, header, out completion);
    }

    private bool HandlePage(int index, ref RxFrame frame, FrameHeader* header, out PageCompletion completion)
    {
        RequestSlot* slot = _slots + index;
        completion = default;
        ulong place = header->Page - slot->Page;
        if (place >= slot->Count || (slot->Pending & (1UL << (int)place)) == 0)
        {
            _counters.LateAnswers++;
            return false;
        }
        if (slot->TakesOver)
        {
            TakeUnlevel(index, frame, header);
            return false;
        }
        completion.Cookie = slot->Cookie;
        completion.Page = (long)header->Page;
        completion.Operation = PageOperation.Read;
        completion.Version = header->PageVersion;
        if (header->Encoding == PayloadEncoding.Zero)
        {
            completion.Status = PageStatus.Zero;
            _assemblies.Remove(ref slot->FirstAssembly, header->Page);
            _counters.ZeroPagesRead++;
        }
        else if (header->FragmentCount == 1)
        {
            completion.Image = frame.Payload;
            completion.Lent = frame.Landing != null && frame.Payload == frame.Landing;
            if (completion.Lent) frame.Landing = null;
            _assemblies.Remove(ref slot->FirstAssembly, header->Page);
        }
        else
        {
            int whole = _assemblies.Add(ref slot->FirstAssembly, header, frame.Payload, ref _counters);
            if (whole < 0) return false;
            completion.Image = _assemblies.Lend(whole);
        }
        _counters.PagesRead++;
        slot->Pending &= ~(1UL << (int)place);
        if (slot->Pending == 0) End(index);
        return true;
    }

    private bool HandleAcknowledgement(int index, FrameHeader* header, out PageCompletion completion)
    {
        RequestSlot* slot = _slots + index;
        completion = default;
        if (header->Page != slot->Page || header->PageVersion != new PageVersion(slot->Token, slot->Sequence))
        {
            _counters.LateAnswers++;
            return false;
        }
        if (slot->Parent >= 0 && !EndOfLeg(index, out index)) return false;
        slot = _slots + index;
        if (slot->Kind == RequestKind.Write) _counters.PagesWritten++; else _counters.Trims++;
        if (slot->TakesOver)
        {
            Levelled(index);
            return false;
        }
        completion = CompletionOf(slot, (long)slot->Page, PageStatus.Ok);
        End(index);
        return true;
    }

    private void HandleRefusal(int index, PageStatus status)
    {
        RequestSlot* slot = _slots + index;
        switch (status)
        {
            case PageStatus.StaleIncarnation or PageStatus.StaleEpoch or PageStatus.NotReady:
                Reroute(index);
                break;
            case PageStatus.NotFenced:
                int fence = _fences.Find(slot->Segment, _peers[slot->Peer]!.Incarnation.Value);
                if (fence >= 0 && !_fences[fence].Asking) _fences[fence] = default;
                Detach(index);
                Route(index);
                break;
            default:
                Fail(index, status);
                break;
        }
    }

    private int ReportFailures(Span<PageCompletion> completions)
    {
        int count = 0;
        while (_failing.First >= 0 && count < completions.Length)
        {
            int index = _failing.First;
            RequestSlot* slot = _slots + index;
            if (slot->TakesOver)
            {
                NotLevelled(index);
                continue;
            }
            int place = System.Numerics.BitOperations.TrailingZeroCount(slot->Pending);
            completions[count++] = CompletionOf(slot, (long)slot->Page + place, slot->Failure);
            _counters.Failed++;
            slot->Pending &= slot->Pending - 1;
            if (slot->Pending == 0) End(index);
        }
        return count;
    }

    private static PageCompletion CompletionOf(RequestSlot* slot, long page, PageStatus status) => new()
    {
        Cookie = slot->Cookie,
        Page = page,
        Operation = (PageOperation)slot->Kind,
        Status = status,
        Version = new PageVersion(slot->Token, slot->Sequence),
    };

    private static FrameType TypeOf(RequestKind kind) => kind switch
    {
        RequestKind.Read => FrameType.Read,
        RequestKind.Write => FrameType.Write,
        RequestKind.Trim => FrameType.Trim,
        RequestKind.List => FrameType.ListPages,
        _ => FrameType.Fence,
    };

    private void TakeBackLanding(ClientPort port)
    {
        for (int i = 0; i < port.Rx.Length; i++)
        {
            if (port.Rx[i].Landing != null) Lend(port.Rx[i].Landing);
            port.Rx[i].Landing = null;
        }
    }
}
