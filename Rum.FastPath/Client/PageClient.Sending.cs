using System.Numerics;
using Rum.Core;
using Rum.FastPath.Frames;

namespace Rum.FastPath.Client;

/// <content>Sending, and sending again what is missing.</content>
public sealed unsafe partial class PageClient
{
    /// <summary>Puts a request's frames into the driver's batch. False: there is no room now.</summary>
    private bool Send(ClientPeer peer, int index, bool resend)
    {
        RequestSlot* slot = _slots + index;
        TxBatch tx = peer.Port.Tx;
        switch (slot->Kind)
        {
            case RequestKind.Read:
                if (!SendRead(peer, index, resend)) return false;
                break;
            case RequestKind.Write when slot->Image != null:
                if (!SendImage(peer, index, resend)) return false;
                break;
            default:
                if (!tx.MakeRoom(1)) return false;
                FrameType type = slot->Kind switch
                {
                    RequestKind.Write => FrameType.Write,
                    RequestKind.Trim => FrameType.Trim,
                    RequestKind.List => FrameType.ListPages,
                    _ => FrameType.Fence,
                };
                FrameHeader* header = StartFrame(peer, index, type, resend);
                if (slot->Kind == RequestKind.Write) header->Encoding = PayloadEncoding.Zero;
                tx.Add(peer.Address, null);
                break;
        }
        long now = Now;
        if (slot->Kind == RequestKind.Write) peer.Port.AsksStill = AsksAfterWrite;
        if (slot->State != RequestState.Sent)
        {
            slot->State = RequestState.Sent;
            peer.InFlight += slot->Cost;
            if (slot->FirstSentNs == 0) slot->FirstSentNs = now;
            else slot->Resent = true;
            Append(ref peer.Sent, index);
        }
        slot->SentNs = now;
        return true;
    }

    /// <summary>
    /// A write's image. The first time all of it; again, what the silo says that it misses. What it misses isn't known where nothing was heard
    /// of it: then one fragment asks.
    /// </summary>
    private bool SendImage(ClientPeer peer, int index, bool resend)
    {
        RequestSlot* slot = _slots + index;
        TxBatch tx = peer.Port.Tx;
        int maxPayload = peer.Port.MaxPayload, fragments = FrameCodec.FragmentsFor(Layout.PageSize, maxPayload);
        ulong all = ulong.MaxValue >> (64 - fragments), left = !resend ? all : slot->Missing != 0 ? slot->Missing & all : 1UL << (fragments - 1);
        if (!tx.MakeRoom(BitOperations.PopCount(left))) return false;
        while (left != 0)
        {
            int i = BitOperations.TrailingZeroCount(left);
            left &= left - 1;
            FrameHeader* fragment = StartFrame(peer, index, FrameType.Write, resend);
            if (left == 0 && fragments > 1) fragment->Flags |= FrameFlags.Report;
            FrameCodec.SetFragment(fragment, Layout.PageSize, maxPayload, i);
            tx.Add(peer.Address, slot->Image + fragment->FragmentOffset);
        }
        // Asked for by name now; the next answer says what is missing then.
        slot->Missing = 0;
        return true;
    }

    /// <summary>The silo has a part of a write: what misses goes at once.</summary>
    private void SendMissing(int index, ulong missing)
    {
        RequestSlot* slot = _slots + index;
        if (slot->State != RequestState.Sent || slot->Kind != RequestKind.Write || slot->Image == null) return;
        ClientPeer peer = _peers[slot->Peer]!;
        slot->Missing = missing;
        // No room: the time-out sends it.
        if (missing == 0 || !Send(peer, index, resend: true)) return;
        slot->Resent = true;
        Remove(ref peer.Sent, index);
        Append(ref peer.Sent, index);
        _counters.Resends++;
    }

    /// <summary>One frame per run of pages that miss wholly, one per page that misses fragments.</summary>
    private bool SendRead(ClientPeer peer, int index, bool resend)
    {
        RequestSlot* slot = _slots + index;
        TxBatch tx = peer.Port.Tx;
        bool sent = false;
        for (ulong left = slot->Pending; left != 0;)
        {
            int first = BitOperations.TrailingZeroCount(left);
            ulong page = slot->Page + (ulong)first;
            ulong fragments = _assemblies.Missing(slot->FirstAssembly, page);
            int run = 1;
            if (fragments == 0)
            {
                while (first + run < slot->Count && (left & (1UL << (first + run))) != 0 && _assemblies.Missing(slot->FirstAssembly, page + (ulong)run) == 0)
                    run++;
            }
            // What doesn't fit now is missing at the next time-out still.
            if (!tx.MakeRoom(1)) return sent;
            FrameHeader* header = StartFrame(peer, index, FrameType.Read, resend);
            header->Page = page;
            header->Count = (ushort)run;
            header->Sequence = fragments;
            tx.Add(peer.Address, null);
            sent = true;
            left &= ~((run == 64 ? ulong.MaxValue : (1UL << run) - 1) << first);
        }
        return sent;
    }

    private FrameHeader* StartFrame(ClientPeer peer, int index, FrameType type, bool resend)
    {
        RequestSlot* slot = _slots + index;
        FrameHeader* header = peer.Port.Tx.Next;
        FrameCodec.Start(header, type);
        header->Flags = (resend ? FrameFlags.Resend : FrameFlags.None) | ((slot->Flags & SegmentFlags.Sparse) != 0 ? FrameFlags.Sparse : FrameFlags.None);
        if (slot->Loses) header->Flags |= FrameFlags.Lost;
        header->Count = slot->Count;
        header->Generation = _routes!.Map.FrameGeneration;
        header->Epoch = slot->Epoch;
        header->Incarnation = peer.Incarnation.Value;
        header->Session = _session;
        header->PacketNumber = ++_packetNumber;
        header->Slot = (uint)index;
        header->Counter = slot->Counter;
        header->Segment = slot->Segment;
        header->Page = slot->Page;
        header->Token = slot->Token;
        header->Sequence = slot->Sequence;
        header->Confirmed = ConfirmedBy(slot);
        header->Shard = slot->Shard;
        return header;
    }

    /// <summary>Sends what waited for credit, and again what was not answered in time.</summary>
    private void Pump(ClientPeer peer, long nowNs)
    {
        bool late = false;
        while (peer.Sent.First >= 0)
        {
            int index = peer.Sent.First;
            RequestSlot* slot = _slots + index;
            long waited = nowNs - slot->SentNs;
            if (waited < peer.WaitNs(slot->Probes)) break;
            if (!Send(peer, index, resend: true)) break;
            if (waited < peer.ResendAfterNs)
            {
                slot->Probes++;
                _counters.Probes++;
            }
            else
            {
                slot->Resent = late = true;
                _counters.Resends++;
            }
            slot->SentNs = nowNs;
            Remove(ref peer.Sent, index);
            Append(ref peer.Sent, index);
        }
        if (late) peer.TimedOut();
        while (peer.Queue.First >= 0)
        {
            int index = peer.Queue.First;
            if (!HasCredit(peer, _slots[index].Cost)) break;
            Remove(ref peer.Queue, index);
            _slots[index].State = RequestState.Free;
            if (Send(peer, index, resend: false)) continue;
            _slots[index].State = RequestState.Queued;
            PutFirst(ref peer.Queue, index);
            break;
        }
    }

    private void PutFirst(ref SlotList list, int index)
    {
        _slots[index].Previous = -1;
        _slots[index].Next = list.First;
        if (list.First >= 0) _slots[list.First].Previous = index; else list.Last = index;
        list.First = index;
    }
}
