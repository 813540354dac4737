using Rum.Core;
using Rum.FastPath.Direct;
using Rum.FastPath.Memory;

namespace Rum.FastPath.Server;

/// <content>Segments: fences, freed ones.</content>
public sealed unsafe partial class PagePool
{
    // A freed segment is remembered until this many were freed after it: longer than any frame lives in a network.
    private const int GoneMax = 16 * 1024;

    private readonly int _segmentMax;
    private NativeRegion _segmentMemory = null!;
    private NativeRegion _segmentBucketMemory = null!;
    private NativeRegion _goneMemory = null!;
    private SegmentRecord* _segments;   // index 0 is none
    private int* _segmentBuckets;
    private uint _segmentBucketMask;
    private int _segmentFree, _segmentUntouched = 1;
    private ulong* _gone;               // ring of freed ids
    private int _goneNext, _goneCount, _goneMax;

    /// <summary>
    /// Records the write token of a segment. Ok: it is the fence now (or was already). Fenced: a later one is, in <paramref name="fence"/>.
    /// Gone: the segment was freed. OutOfMemory: no room for another segment.
    /// </summary>
    public PageStatus Fence(SegmentId segment, ulong token, bool sparse, out ulong fence)
    {
        fence = 0;
        SegmentRecord* record = FindSegment(segment.Value);
        if (record == null)
        {
            if (segment.Value == 0 || token == 0) return PageStatus.Malformed;
            record = AddSegment(segment.Value);
            if (record == null) return PageStatus.OutOfMemory;
            record->State = SegmentState.Live;
            record->Sparse = sparse;
            _segmentsLive++;
        }
        if (record->State == SegmentState.Gone) return PageStatus.Gone;
        fence = Math.Max(record->Fence, token);
        if (token < record->Fence) return PageStatus.Fenced;
        record->Fence = token;
        return PageStatus.Ok;
    }

    /// <summary>
    /// Forgets a segment: no access finds it from now on, and its id is answered Gone. Its frames fall free in <see cref="DoChores"/>;
    /// <see cref="GarbageProduced"/> as of now tells when. Also right for a segment that was never seen here.
    /// </summary>
    public void DropSegment(SegmentId segment)
    {
        SegmentRecord* record = FindSegment(segment.Value);
        if (record == null)
        {
            if (segment.Value == 0) return;
            ForgetOldestGone(always: _segmentFree == 0 && _segmentUntouched > _segmentMax);
            record = AddSegment(segment.Value);
            if (record == null) return;
        }
        else
        {
            if (record->State == SegmentState.Gone) return;
            _segmentsLive--;
            while (record->FirstExtent != 0) RemoveExtent(record, record->FirstExtent);
        }
        record->State = SegmentState.Gone;
        ForgetOldestGone(always: false);
        _gone[(_goneNext + _goneCount) % _goneMax] = segment.Value;
        _goneCount++;
    }

    /// <summary>The ids of the live segments, at most as many as fit; returns how many. For the owner's reconciliation with the council.</summary>
    public int ListSegments(Span<ulong> ids)
    {
        int count = 0;
        for (int i = 1; i < _segmentUntouched && count < ids.Length; i++)
            if (_segments[i].State == SegmentState.Live) ids[count++] = _segments[i].Id;
        return count;
    }

    private void CreateSegments()
    {
        int buckets = PowerOfTwoAtLeast(_segmentMax);
        _segmentBucketMask = (uint)buckets - 1;
        _goneMax = Math.Max(1, Math.Min(GoneMax, _segmentMax / 2));
        _segmentMemory = new NativeRegion((_segmentMax + 1L) * sizeof(SegmentRecord));
        _segmentBucketMemory = new NativeRegion((long)buckets * sizeof(int));
        _goneMemory = new NativeRegion((long)_goneMax * sizeof(ulong));
        _segments = (SegmentRecord*)_segmentMemory.Start;
        _segmentBuckets = (int*)_segmentBucketMemory.Start;
        _gone = (ulong*)_goneMemory.Start;
    }

    private void DisposeSegments()
    {
        _segmentMemory.Dispose();
        _segmentBucketMemory.Dispose();
        _goneMemory.Dispose();
    }

    private SegmentRecord* FindSegment(ulong id)
    {
        for (int i = _segmentBuckets[WindowLayout.Mix(id) & _segmentBucketMask]; i != 0; i = _segments[i].Next)
            if (_segments[i].Id == id) return _segments + i;
        return null;
    }

    private SegmentRecord* AddSegment(ulong id)
    {
        int index = _segmentFree;
        if (index != 0) _segmentFree = _segments[index].Next;
        else if (_segmentUntouched <= _segmentMax) index = _segmentUntouched++;
        else return null;
        int* bucket = _segmentBuckets + (WindowLayout.Mix(id) & _segmentBucketMask);
        _segments[index] = new SegmentRecord { Id = id, Next = *bucket };
        *bucket = index;
        return _segments + index;
    }

    private void ForgetOldestGone(bool always)
    {
        if (_goneCount == 0 || (_goneCount < _goneMax && !always)) return;
        ulong id = _gone[_goneNext];
        _goneNext = (_goneNext + 1) % _goneMax;
        _goneCount--;
        int* link = _segmentBuckets + (WindowLayout.Mix(id) & _segmentBucketMask);
        while (_segments[*link].Id != id) link = &_segments[*link].Next;
        int index = *link;
        *link = _segments[index].Next;
        _segments[index] = new SegmentRecord { Next = _segmentFree };
        _segmentFree = index;
    }
}
