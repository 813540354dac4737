using Rum.Core;
using Rum.Core.Council;

namespace Rum.FastPath.Client;

/// <content>
/// Pages with several replicas. A change goes to all of them, in sync or learning, side by side, and is done when all have acknowledged it in one epoch: one leg
/// for each, a request like any other but that its end is a part of the change's. A read goes to the replica on this host, if there is one, else to the lead, and elsewhere when that is silent.
/// </content>
public sealed unsafe partial class PageClient
{
    private bool _anyReplicated;

    /// <summary>The change that a leg belongs to; a request that is none is its own.</summary>
    private int ChangeOf(int index) => _slots[index].Parent >= 0 ? _slots[index].Parent : index;

    private void Spread(int index, in ShardPlace place)
    {
        ShardMap map = _routes!.Map;
        for (int i = 0; i < place.Count; i++)
        {
            if (PeerOf(map.Replica(place, i)) >= 0) continue;
            Park(index);
            ReportStaleView();
            return;
        }
        Detach(index);
        RequestSlot* slot = _slots + index;
        slot->State = RequestState.Spread;
        for (int i = 0; i < place.Count; i++)
        {
            int leg = _freeLegs.First;
            Remove(ref _freeLegs, leg);
            uint counter = _slots[leg].Counter + 1;
            _slots[leg] = *slot;
            RequestSlot* it = _slots + leg;
            it->State = RequestState.Free;
            it->Counter = counter;
            it->Parent = index;
            it->Replica = (byte)i;
            it->Peer = it->FirstAssembly = it->FirstLeg = -1;
            it->FirstSentNs = 0;
            it->Resent = false;
            it->Probes = 0;
            it->NextLeg = slot->FirstLeg;
            slot->FirstLeg = leg;
        }
        for (int leg = slot->FirstLeg; leg >= 0;)
        {
            // Sending it may end nothing here: answers come in Poll only.
            int next = _slots[leg].NextLeg;
            RouteLeg(leg);
            leg = next;
        }
    }

    private void RouteLeg(int index)
    {
        RequestSlot* slot = _slots + index;
        ref readonly ShardPlace place = ref _routes!.Map.Place(new ShardId(slot->Shard));
        // A view that changes the epoch ends all legs, so this is the same list of replicas still.
        Invariant.Check(place.Epoch == slot->Epoch && slot->Replica < place.Count);
        int peer = PeerOf(_routes.Map.Replica(place, slot->Replica));
        if (peer < 0)
        {
            Park(index);
            ReportStaleView();
            return;
        }
        slot->Peer = peer;
        if (EnsureFence(index)) Enqueue(index);
    }

    private int PeerOf(in ReplicaPlace replica)
    {
        int peer = replica.Member >= 0 ? _peerOfMember[replica.Member] : -1;
        return peer >= 0 && _peers[peer]!.Incarnation == replica.Incarnation ? peer : -1;
    }

    private void EndLeg(int index)
    {
        Detach(index);
        RequestSlot* leg = _slots + index;
        int* link = &_slots[leg->Parent].FirstLeg;
        while (*link != index) link = &_slots[*link].NextLeg;
        *link = leg->NextLeg;
        leg->Parent = leg->NextLeg = -1;
        Append(ref _freeLegs, index);
    }

    /// <summary>True: it was the last leg, and the change is done.</summary>
    private bool EndOfLeg(int index, out int change)
    {
        change = _slots[index].Parent;
        EndLeg(index);
        return _slots[change].FirstLeg < 0;
    }

    /// <summary>The replica to read from: of those in sync that aren't known to be silent the one on this host, else the first; -1 when there is no way to any.</summary>
    private int ReadPeer(RequestSlot* slot, in ShardPlace place)
    {
        int any = -1, first = -1;
        long now = Now;
        for (int i = 0; i < place.InSync; i++)
        {
            // After a move the next one in order comes first, so that two that are silent aren't asked in turn while a third would answer.
            int peer = PeerOf(_routes!.Map.Replica(place, (i + slot->Moves) % place.InSync));
            if (peer < 0) continue;
            if (any < 0) any = peer;
            if (IsSilent(_peers[peer]!, now)) continue;
            if (slot->Moves > 0 || _peers[peer]!.Port.Driver.Traits.SameHost) return peer;
            if (first < 0) first = peer;
        }
        return first >= 0 ? first : any;
    }

    private static bool IsSilent(ClientPeer peer, long nowNs) => peer.Port.Hung || nowNs < peer.AvoidUntilNs;

    /// <summary>When a read that could go elsewhere has waited long enough for this replica.</summary>
    private long MoveNs(RequestSlot* slot, ClientPeer peer) =>
        peer.Port.Hung ? 0 : slot->SentNs + (_options.ReadElsewhereNs << Math.Min((int)slot->Moves, 6));

    /// <summary>Sends reads that a silent replica lets wait to another one.</summary>
    private void MoveReads(ClientPeer peer, long nowNs)
    {
        bool silent = peer.Port.Hung;
        // Only those that are there now: one for which there is no other replica comes back to the end.
        int last = peer.Sent.Last;
        for (int i = peer.Sent.First; i >= 0;)
        {
            RequestSlot* slot = _slots + i;
            int next = i == last ? -1 : slot->Next;
            if (!peer.Port.Hung && nowNs - slot->SentNs < _options.ReadElsewhereNs) break;
            if (slot->Others && nowNs >= MoveNs(slot, peer))
            {
                if (peer.HeardNs <= slot->SentNs)
                {
                    silent = true;
                    peer.AvoidUntilNs = nowNs + _options.AvoidNs;
                }
                MoveRead(i);
            }
            i = next;
        }
        last = peer.Queue.Last;
        for (int i = silent ? peer.Queue.First : -1; i >= 0;)
        {
            int next = i == last ? -1 : _slots[i].Next;
            if (_slots[i].Others) MoveRead(i);
            i = next;
        }
    }

    private void MoveRead(int index)
    {
        RequestSlot* slot = _slots + index;
        if (slot->Moves < byte.MaxValue) slot->Moves++;
        slot->Resent = true;
        Detach(index);
        _assemblies.RemoveAll(ref slot->FirstAssembly);
        _counters.ReadsMoved++;
        Route(index);
    }

    /// <summary>When the first read at a peer is to go elsewhere.</summary>
    private long NextMoveNs(ClientPeer peer)
    {
        for (int i = peer.Sent.First; i >= 0; i = _slots[i].Next)
            if (_slots[i].Others) return MoveNs(_slots + i, peer);
        return long.MaxValue;
    }
}
