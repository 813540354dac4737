using Rum.Core;
using Rum.FastPath.Drivers;
using Rum.FastPath.Frames;

namespace Rum.FastPath.Server;

/// <content>Writes: whole ones are applied at once, fragments are joined in the frame that they will live in.</content>
public sealed unsafe partial class PageServer
{
    private readonly WriteAssemblies _writes;
    private readonly CreditShare _credits;

    private void HandleWrite(ServerPort port, ref RxFrame frame, FrameHeader* header)
    {
        bool hasImage = header->Encoding == PayloadEncoding.Raw;
        PageVersion version = header->PageVersion;
        PageStatus status = _pool.Admit(header->Segment, header->Page, version, header->Shard, hasImage, out PagePool.PageSlot slot, out PageVersion current, header->Confirmed);
        if (status != PageStatus.Ok || slot.Entry == null)
        {
            // One answer per message: to the fragment that asks for one.
            if (header->FragmentCount > 1 && (header->Flags & FrameFlags.Report) == 0) return;
            if (status == PageStatus.Ok) _counters.DuplicateWrites++;
            Conclude(port, frame.Peer, header, status, current);
            return;
        }
        if (!TryTakeImage(port, ref frame, header, hasImage, out uint filled)) return;
        _pool.Commit(slot, version, filled);
        _counters.PagesWritten++;
        Conclude(port, frame.Peer, header, PageStatus.Ok, version);
    }

    /// <summary>A frame with the image of a write; 0 for zeros. False: fragments are missing still, or there was no frame and it was said.</summary>
    private bool TryTakeImage(ServerPort port, ref RxFrame frame, FrameHeader* header, bool hasImage, out uint filled)
    {
        filled = 0;
        if (!hasImage) return true;
        if (header->FragmentCount > 1)
        {
            filled = _writes.Add(frame, _nowNs, ref _counters.AssembliesDropped, out ulong missing);
            if (filled != 0) return true;
            if (missing != 0 && (header->Flags & FrameFlags.Report) != 0) Refuse(port, frame.Peer, header, PageStatus.Incomplete, new PageVersion(header->Token, missing));
            return false;
        }
        filled = port.TakeLanded(_pool, ref frame);
        if (filled != 0) return true;
        filled = _pool.TakeFrame();
        if (filled == 0)
        {
            RefuseForSpace(port, frame.Peer, header);
            return false;
        }
        Buffer.MemoryCopy(frame.Payload, _pool.Address(filled), Layout.PageSize, Layout.PageSize);
        _counters.PagesCopied++;
        return true;
    }

    /// <summary>Frames that fall free in this very step are not free yet: then the sender's resend finds them. Else there is really no space.</summary>
    private void RefuseForSpace(ServerPort port, PeerAddress peer, FrameHeader* header)
    {
        if (_pool.FramesHeld > 0) _counters.AnswersDropped++;
        else Refuse(port, peer, header, PageStatus.OutOfMemory, default);
    }
}
