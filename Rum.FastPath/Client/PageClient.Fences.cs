using Rum.Core;
using Rum.FastPath.Frames;

namespace Rum.FastPath.Client;

/// <content>
/// A silo must have recorded a segment's write token before it takes the first write, and before a writer's first read: else a predecessor whose
/// session is over could change what was read by a write of its that comes late.
/// </content>
public sealed unsafe partial class PageClient
{
    /// <summary>True: the request's token is recorded at its peer. Else the request waits (or rests) and goes on when it is.</summary>
    private bool EnsureFence(int index)
    {
        RequestSlot* slot = _slots + index;
        ulong incarnation = _peers[slot->Peer]!.Incarnation.Value;
        int fence = _fences.FindOrAdd(slot->Segment, incarnation);
        if (fence >= 0 && !_fences[fence].Asking && _fences[fence].Token == slot->Token) return true;
        if (fence < 0 || (!_fences[fence].Asking && !Ask(fence, slot)))
        {
            Park(index);
            return false;
        }
        Detach(index);
        slot->State = RequestState.Fencing;
        _fencing++;
        return false;
    }

    private bool Ask(int fence, RequestSlot* writer)
    {
        int index = TakeFenceSlot(RequestKind.Fence);
        if (index < 0) return false;
        RequestSlot* slot = _slots + index;
        slot->Segment = writer->Segment;
        slot->Token = writer->Token;
        slot->Flags = writer->Flags;
        slot->Shard = writer->Shard;
        slot->Epoch = writer->Epoch;
        slot->Peer = writer->Peer;
        slot->Unlevel = writer->Unlevel;
        _fences[fence].Asking = true;
        _fences[fence].Token = writer->Token;
        Enqueue(index);
        return true;
    }

    /// <summary>A slot of those set aside for requests that others wait for; -1: none is free.</summary>
    private int TakeFenceSlot(RequestKind kind)
    {
        int index = _freeFences.First;
        if (index < 0) return -1;
        Remove(ref _freeFences, index);
        RequestSlot* slot = _slots + index;
        uint counter = slot->Counter + 1;
        *slot = new RequestSlot
        {
            Kind = kind,
            Counter = counter,
            Peer = -1,
            Count = 1,
            Pending = 1,
            FirstAssembly = -1,
            Parent = -1,
            FirstLeg = -1,
            NextLeg = -1,
        };
        return index;
    }

    private void HandleFenceAnswer(int index, FrameHeader* header)
    {
        RequestSlot request = _slots[index];
        ulong incarnation = _peers[request.Peer]!.Incarnation.Value;
        var status = (PageStatus)header->Status;
        End(index);
        int fence = _fences.Find(request.Segment, incarnation);
        if (fence >= 0)
        {
            _fences[fence].Asking = false;
            if (status != PageStatus.Ok) _fences[fence] = default;
        }
        if (status == PageStatus.Ok) _counters.Fences++;
        for (int i = 0; i < _slotCount && _fencing > 0; i++)
        {
            RequestSlot* slot = _slots + i;
            if (slot->State != RequestState.Fencing || slot->Segment != request.Segment || slot->Peer != request.Peer) continue;
            switch (status)
            {
                case PageStatus.Ok:
                    Detach(i);
                    Route(i);
                    break;
                case PageStatus.StaleIncarnation or PageStatus.StaleEpoch or PageStatus.NotReady or PageStatus.NotFenced:
                    Reroute(i);
                    break;
                default:
                    Fail(i, status);
                    break;
            }
        }
    }
}
