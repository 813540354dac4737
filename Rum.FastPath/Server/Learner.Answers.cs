using Rum.Core;
using Rum.FastPath.Drivers;
using Rum.FastPath.Frames;

namespace Rum.FastPath.Server;

/// <content>What the leads answer.</content>
internal sealed unsafe partial class Learner
{
    /// <summary>Takes in an answer, which <see cref="FrameCodec.Check"/> passed.</summary>
    public void Handle(ServerPort port, ref RxFrame frame, FrameHeader* header, long nowNs)
    {
        if (port != _port || header->Slot >= Requests || _course is null || header->Session != _server.Incarnation.Value) return;
        ref Request request = ref _requests[header->Slot];
        // Another epoch, another life: the lead is ahead or behind, or is none any more. A view will say.
        if (request.What == Asked.Nothing || header->Counter != request.Counter || header->Incarnation != _course.Lesson.Lead.Value) return;
        if (header->Status != (ushort)PageStatus.Ok && header->Status != (ushort)PageStatus.Zero)
        {
            if (header->Status == (ushort)PageStatus.Gone) End(ref request);
            else request.DueNs = nowNs + RefusedNs;
            return;
        }
        if (header->Epoch != _course.Lesson.Epoch || header->Generation != _view!.Generation) return;
        switch (request.What)
        {
            case Asked.Tokens when header->Type == FrameType.ListSegmentsAnswer:
                TakeTokens(ref request, frame, header);
                break;
            case Asked.Extents when header->Type == FrameType.ListExtentsAnswer:
                TakeExtents(ref request, frame, header);
                break;
            case Asked.Pages when header->Type == FrameType.ReadAnswer:
                TakePage(ref request, ref frame, header);
                break;
        }
    }

    private void TakeTokens(ref Request request, in RxFrame frame, FrameHeader* header)
    {
        foreach (ref readonly CopyEntry entry in new ReadOnlySpan<CopyEntry>(frame.Payload, frame.PayloadLength / CopyEntry.Size))
            _ = _pool.Adopt(entry);
        ulong next = header->Page;
        End(ref request);
        if (next != PagePool.ListEnd)
        {
            request.What = Asked.Tokens;
            request.Page = next;
            return;
        }
        // The lead answered under a view as new as this one: it stands for every shard that is learned from it.
        ulong since = _course!.Since;
        foreach (Course course in _courses)
            if (course.Lesson.Lead == _course.Lesson.Lead && course.Since <= since) course.KnowsTokens = true;
        _course = null;
    }

    private void TakeExtents(ref Request request, in RxFrame frame, FrameHeader* header)
    {
        var entries = new ReadOnlySpan<CopyEntry>(frame.Payload, frame.PayloadLength / CopyEntry.Size);
        (_extentCount, _extentNext, _pageNext) = (0, 0, 0);
        foreach (ref readonly CopyEntry entry in entries)
        {
            // Freed here: the lead will hear of it too.
            if (!_pool.Adopt(entry) || !_pool.AdoptFloor(entry, _course!.Lesson.Shard.Value)) continue;
            // Of a lost one there is nothing to be had but that.
            if ((entry.Sparse & CopyEntry.Lost) == 0) _extents[_extentCount++] = entry;
        }
        _cursor = header->Page;
        _allListed = _cursor == PagePool.ListEnd;
        End(ref request);
    }

    private void TakePage(ref Request request, ref RxFrame frame, FrameHeader* header)
    {
        ulong place = header->Page - request.Page;
        if (header->Segment != request.Segment || place >= request.Count || header->Count > request.Count - place) return;
        if (header->Token == 0)
        {
            request.Pending &= ~(((1UL << header->Count) - 1) << (int)place);
            // What was never written took nobody's room on the wire.
            _allowance += header->Count;
        }
        else if ((request.Pending & (1UL << (int)place)) != 0)
        {
            bool zero = header->Encoding == PayloadEncoding.Zero;
            byte* image = zero ? null : frame.Payload;
            if (!zero && header->FragmentCount > 1)
            {
                int whole = _assemblies.Add(ref request.FirstAssembly, header, frame.Payload, ref _counters);
                if (whole < 0) return;
                image = _assemblies.Lend(whole);
            }
            if (!Apply(header, image, ref frame)) return;
            request.Pending &= ~(1UL << (int)place);
        }
        if (request.Pending == 0) End(ref request);
    }

    /// <summary>False: there is no frame free at the moment; it will be asked for again.</summary>
    private bool Apply(FrameHeader* header, byte* image, ref RxFrame from)
    {
        foreach ((SegmentId segment, long first, long end) in _dropped)
            if (segment.Value == header->Segment && (long)header->Page >= first && (long)header->Page < end) return true;
        PageVersion version = header->PageVersion;
        PageStatus status = _pool.AdmitCopy(header->Segment, header->Page, version, _course!.Lesson.Shard.Value, image != null, out PagePool.PageSlot slot);
        if (status == PageStatus.OutOfMemory) return false;
        if (status != PageStatus.Ok || slot.Entry == null) return true;
        uint frame = image != null && image == from.Payload ? _port.TakeLanded(_pool, ref from) : 0;
        if (image != null && frame == 0)
        {
            frame = _pool.TakeFrame();
            if (frame == 0) return false;
            Buffer.MemoryCopy(image, _pool.Address(frame), Layout.PageSize, Layout.PageSize);
        }
        _pool.Commit(slot, version, frame);
        _pagesLearned++;
        return true;
    }
}
