using Rum.Core;
using Rum.FastPath.Drivers;
using Rum.FastPath.Frames;
using Rum.FastPath.Memory;

namespace Rum.FastPath.Server;

/// <content>Between replicas: lists for a learner, and what this silo learns itself.</content>
public sealed unsafe partial class PageServer
{
    private readonly Learner _learner;
    private readonly NativeRegion _lists = new(Layout.PageSize);
    private ServerPort? _listing;

    /// <summary>Shards that were learned under the view in force, for the council to put in sync. Any thread.</summary>
    public IReadOnlyList<(ShardId Shard, uint Epoch)> Learned => _learner.Learned;

    /// <summary>Whether there is something to learn still: it must be polled for its time-outs. Any thread.</summary>
    public bool IsLearning => _learner.Active;

    /// <summary>Pages that were copied from other silos since the start. Any thread.</summary>
    public long PagesLearned => _learner.PagesLearned;

    private void HandleFence(ServerPort port, in RxFrame frame, FrameHeader* header)
    {
        PageStatus status = _pool.Fence(new SegmentId(header->Segment), header->Token, (header->Flags & FrameFlags.Sparse) != 0, out ulong fence);
        _counters.Fences++;
        if (port.TxFull && !port.Flush())
        {
            _counters.AnswersDropped++;
            return;
        }
        if (status != PageStatus.Ok) _counters.Refused[(int)status]++;
        else _pool.Confirm(new SegmentId(header->Segment), new PageVersion(header->Token, header->Confirmed));
        FrameHeader* answer = StartAnswer(port, header);
        answer->Status = (ushort)status;
        answer->Token = fence;
        answer->Sequence = _view!.Decree;
        if (status == PageStatus.Ok && _pool.IsUnlevel(header->Segment)) answer->Flags = FrameFlags.Unlevel;
        port.Add(frame.Peer, null);
    }

    private void HandleListPages(ServerPort port, in RxFrame frame, FrameHeader* header)
    {
        if (!CanList(port)) return;
        ulong cursor = header->Page;
        var entries = new Span<UnlevelPages>(_lists.Start, Math.Min(Layout.PageSize, port.Traits.MaxPayload) / UnlevelPages.Size);
        PageStatus status = _pool.ListUnlevel(header->Segment, header->Token, ref cursor, entries, out int count);
        if (status != PageStatus.Ok)
        {
            Refuse(port, frame.Peer, header, status, default);
            return;
        }
        FrameHeader* answer = StartAnswer(port, header);
        answer->Sequence = _view!.Decree;
        SendList(port, frame, answer, cursor, count, UnlevelPages.Size);
    }

    /// <summary>The lists' memory is sent from: one list at a time. False: a request that meets another one comes again.</summary>
    private bool CanList(ServerPort port)
    {
        if ((_listing is not { TxEmpty: false } || _listing.Flush()) && (port.TxEmpty || port.Flush())) return true;
        _counters.AnswersDropped++;
        return false;
    }

    private void SendList(ServerPort port, in RxFrame frame, FrameHeader* answer, ulong cursor, int count, int entryBytes)
    {
        int bytes = count * entryBytes;
        answer->Page = cursor;
        answer->Count = (ushort)count;
        answer->MessageLength = (uint)bytes;
        answer->Length = (ushort)bytes;
        port.Add(frame.Peer, bytes == 0 ? null : _lists.Start);
        port.Flush();
        _listing = port;
    }

    private void HandleList(ServerPort port, in RxFrame frame, FrameHeader* header)
    {
        if (!CanList(port)) return;
        if (header->Type == FrameType.ListSegments && _view!.Decree < header->Confirmed)
        {
            Refuse(port, frame.Peer, header, PageStatus.NotReady, default);
            return;
        }
        ulong cursor = header->Page;
        var entries = new Span<CopyEntry>(_lists.Start, Math.Min(Layout.PageSize, port.Traits.MaxPayload) / CopyEntry.Size);
        int count = header->Type == FrameType.ListSegments ? _pool.ListSegments(ref cursor, entries) : _pool.ListExtents(header->Shard, ref cursor, entries);
        SendList(port, frame, StartAnswer(port, header), cursor, count, CopyEntry.Size);
    }
}
