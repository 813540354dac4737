using Rum.Core;
using Rum.FastPath.Drivers;
using Rum.FastPath.Frames;

namespace Rum.FastPath.Server;

/// <content>Reads, and the making of answers.</content>
public sealed unsafe partial class PageServer
{
    /// <summary>Answers what is left of the port's pending read. False: the driver pushed back; go on when it takes frames again.</summary>
    private bool ContinueRead(ServerPort port)
    {
        FrameHeader* request = port.PendingRead;
        PageStatus status = _pool.Locate(request->Segment, request->Page, out PageEntry* entries);
        if (status != PageStatus.Ok)
        {
            if (port.TxFull && !port.Flush()) return false;
            port.HasPendingRead = false;
            Refuse(port, port.PendingPeer, request, status, default);
            return true;
        }
        // A resend may ask for some fragments of a page only.
        ulong wanted = request->Count == 1 && request->Sequence != 0 ? request->Sequence : ulong.MaxValue;
        int fragments = FrameCodec.FragmentsFor(Layout.PageSize, port.Traits.MaxPayload);
        bool copies = (request->Flags & FrameFlags.Copy) != 0;
        for (; port.PendingPage < request->Count; port.PendingPage++, port.PendingFragment = 0)
        {
            PageEntry entry = entries == null ? default : entries[port.PendingPage];
            if (copies && entry.Token == 0)
            {
                if (port.TxFull && !port.Flush()) return false;
                AnswerRun(port, request, entries);
                continue;
            }
            byte* image = entry.Frame == 0 ? null : _pool.Address(entry.Frame);
            int count = image == null ? 1 : fragments;
            for (; port.PendingFragment < count; port.PendingFragment++)
            {
                if (image != null && count <= 64 && (wanted & (1UL << port.PendingFragment)) == 0) continue;
                if (port.TxFull && !port.Flush()) return false;
                FrameHeader* answer = StartAnswer(port, request);
                answer->Page = request->Page + (ulong)port.PendingPage;
                answer->Token = entry.Token;
                answer->Sequence = entry.Sequence;
                if (image == null)
                {
                    answer->Encoding = PayloadEncoding.Zero;
                    port.Add(port.PendingPeer, null);
                    _counters.ZeroPagesRead++;
                }
                else
                {
                    FrameCodec.SetFragment(answer, Layout.PageSize, port.Traits.MaxPayload, port.PendingFragment);
                    port.Add(port.PendingPeer, image + answer->FragmentOffset);
                }
            }
            _counters.PagesRead++;
        }
        port.HasPendingRead = false;
        return true;
    }

    /// <summary>Pages never written, side by side: one frame for all.</summary>
    private void AnswerRun(ServerPort port, FrameHeader* request, PageEntry* entries)
    {
        int first = port.PendingPage;
        while (port.PendingPage + 1 < request->Count && (entries == null || entries[port.PendingPage + 1].Token == 0)) port.PendingPage++;
        FrameHeader* answer = StartAnswer(port, request);
        answer->Page = request->Page + (ulong)first;
        answer->Count = (ushort)(port.PendingPage + 1 - first);
        answer->Flags = FrameFlags.Copy;
        answer->Encoding = PayloadEncoding.Zero;
        port.Add(port.PendingPeer, null);
    }

    private void Conclude(ServerPort port, PeerAddress peer, FrameHeader* request, PageStatus status, PageVersion version)
    {
        if (Holds(port, peer, request, status, version)) return;
        if (status == PageStatus.Ok) Answer(port, peer, request, status, version);
        else Refuse(port, peer, request, status, version);
    }

    private void Refuse(ServerPort port, PeerAddress peer, FrameHeader* request, PageStatus status, PageVersion version)
    {
        _counters.Refused[(int)status]++;
        Answer(port, peer, request, status, version);
    }

    private void Answer(ServerPort port, PeerAddress peer, FrameHeader* request, PageStatus status, PageVersion version)
    {
        if (port.TxFull && !port.Flush())
        {
            _counters.AnswersDropped++;
            return;
        }
        FrameHeader* answer = StartAnswer(port, request);
        answer->Status = (ushort)status;
        answer->Token = version.Token;
        answer->Sequence = version.Sequence;
        // A refused batch is refused by one frame that names it whole; a page answer says Count 1.
        if (request->Type == FrameType.Read) answer->Encoding = PayloadEncoding.Zero;
        else answer->Count = request->Count;
        port.Add(peer, null);
    }

    private FrameHeader* StartAnswer(ServerPort port, FrameHeader* request)
    {
        FrameHeader* answer = port.NextHeader;
        FrameCodec.Start(answer, request->Type | FrameType.Answer);
        ServerView? view = _view;
        answer->Generation = view?.Generation ?? 0;
        answer->Epoch = view?.Epoch(request->Shard) ?? 0;
        answer->Incarnation = Incarnation.Value;
        answer->Session = request->Session;
        answer->PacketNumber = ++_packetNumber;
        answer->Slot = request->Slot;
        answer->Counter = request->Counter;
        answer->Segment = request->Segment;
        answer->Page = request->Page;
        answer->Shard = request->Shard;
        answer->Credits = _credits.For(request->Session, _nowNs);
        return answer;
    }
}
