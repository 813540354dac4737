using Rum.Core;
using Rum.FastPath.Frames;

namespace Rum.FastPath.Client;

/// <content>
/// What this writer tells the silos with every frame: up to which of its changes all are acknowledged. Above that its successor has to look whether the replicas agree.
/// </content>
public sealed unsafe partial class PageClient
{
    // Tokens with a change that was given up and may be at some replicas only: from there on nothing of them is confirmed.
    private readonly (ulong Token, ulong Sequence)[] _unsure = new (ulong, ulong)[64];
    private int _unsureCount;
    private ulong _unsureFrom = ulong.MaxValue;

    /// <inheritdoc/>
    public void Settle(in SegmentHandle segment)
    {
        if (_routes == null) return;
        ulong last = _lastSequence;
        for (int i = _oldestWrite; i >= 0; i = _slots[i].NextWrite)
        {
            if (_slots[i].Segment != segment.Segment.Value) continue;
            last = _slots[i].Sequence - 1;
            break;
        }
        ulong mark = Sure(segment.Token, last);
        foreach (ClientPeer? peer in _peers)
        {
            int fence = _fences.Find(segment.Segment.Value, peer!.Incarnation.Value);
            if (fence < 0 || _fences[fence].Asking || _fences[fence].Token != segment.Token || !peer.Port.Tx.MakeRoom(1)) continue;
            FrameHeader* header = peer.Port.Tx.Next;
            FrameCodec.Start(header, FrameType.Fence);
            header->Flags = (segment.Flags & SegmentFlags.Sparse) != 0 ? FrameFlags.Sparse : FrameFlags.None;
            header->Generation = _routes.Map.FrameGeneration;
            header->Incarnation = peer.Incarnation.Value;
            header->Session = _session;
            header->PacketNumber = ++_packetNumber;
            // Nobody waits for the answer.
            header->Slot = uint.MaxValue;
            header->Segment = segment.Segment.Value;
            header->Token = segment.Token;
            header->Sequence = 1;
            header->Confirmed = mark;
            peer.Port.Tx.Add(peer.Address, null);
        }
        Submit();
    }

    /// <summary>
    /// The mark for a frame: everything up to it is acknowledged. The sequences run over all segments, so the oldest outstanding one bounds each token's.
    /// </summary>
    private ulong ConfirmedBy(RequestSlot* slot) =>
        slot->Unlevel ? 0 : Sure(slot->Token, _oldestWrite < 0 ? _lastSequence : _slots[_oldestWrite].Sequence - 1);

    private ulong Sure(ulong token, ulong mark)
    {
        mark = Math.Min(mark, _unsureFrom - 1);
        for (int i = 0; i < _unsureCount; i++)
            if (_unsure[i].Token == token) mark = Math.Min(mark, _unsure[i].Sequence - 1);
        return mark;
    }

    private void BecomesUnsure(ulong token, ulong sequence)
    {
        for (int i = 0; i < _unsureCount; i++)
        {
            if (_unsure[i].Token != token) continue;
            _unsure[i].Sequence = Math.Min(_unsure[i].Sequence, sequence);
            return;
        }
        if (_unsureCount < _unsure.Length) _unsure[_unsureCount++] = (token, sequence);
        else _unsureFrom = Math.Min(_unsureFrom, sequence);
    }
}
