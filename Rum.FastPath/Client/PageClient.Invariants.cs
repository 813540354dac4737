using Rum.Core;

namespace Rum.FastPath.Client;

/// <content>What always holds between two calls; looked at by tests and the simulator.</content>
public sealed unsafe partial class PageClient
{
    /// <summary>
    /// Checks that every slot is in the list that its state names, and in no other, and that what peers count is what they have. Slow: it looks at every slot.
    /// </summary>
    public void CheckInvariants()
    {
        var seen = new bool[_slotCount];
        int free = Walk(_free, RequestState.Free, seen) + Walk(_freeFences, RequestState.Free, seen) + Walk(_freeLegs, RequestState.Free, seen);
        Walk(_parked, RequestState.Parked, seen);
        Walk(_failing, RequestState.Failing, seen);
        Walk(_direct, RequestState.Direct, seen);
        foreach (ClientPeer? peer in _peers)
        {
            Walk(peer!.Queue, RequestState.Queued, seen);
            Walk(peer.Sent, RequestState.Sent, seen);
            int cost = 0;
            for (int i = peer.Sent.First; i >= 0; i = _slots[i].Next) cost += _slots[i].Cost;
            Invariant.Check(cost == peer.InFlight);
        }
        int fencing = 0, used = 0;
        for (int i = 0; i < _slotCount; i++)
        {
            RequestSlot* slot = _slots + i;
            if (slot->State == RequestState.Fencing) fencing++;
            if (slot->State == RequestState.Fencing || slot->State == RequestState.Spread) seen[i] = true;
            Invariant.Check(seen[i]);
            if (i < Capacity && slot->State != RequestState.Free) used++;
            if (slot->State == RequestState.Fencing)
            {
                // Whoever waits for a token to be recorded waits for a question that is being asked.
                int fence = _fences.Find(slot->Segment, _peers[slot->Peer]!.Incarnation.Value);
                Invariant.Check(fence >= 0 && _fences[fence].Asking && IsAsked(slot));
            }
            if (slot->State == RequestState.Spread) Invariant.Check(slot->FirstLeg >= 0);
        }
        Invariant.Check(fencing == _fencing && used + _takeOvers.Count == Outstanding && free <= _slotCount);
    }

    private bool IsAsked(RequestSlot* waiting)
    {
        for (int i = Capacity; i < Capacity + FenceSlots; i++)
        {
            RequestSlot* slot = _slots + i;
            if (slot->Kind == RequestKind.Fence && !slot->TakesOver && slot->State is RequestState.Queued or RequestState.Sent
                && slot->Segment == waiting->Segment && slot->Peer == waiting->Peer) return true;
        }
        return false;
    }

    private int Walk(SlotList list, RequestState state, bool[] seen)
    {
        int count = 0, previous = -1;
        for (int i = list.First; i >= 0; previous = i, i = _slots[i].Next, count++)
        {
            Invariant.Check(!seen[i] && _slots[i].State == state && _slots[i].Previous == previous);
            seen[i] = true;
        }
        Invariant.Check(list.Last == previous);
        return count;
    }
}
