using Rum.Core;

namespace Rum.FastPath.Server;

/// <content>What replicas tell each other: what a shard holds, and how a learner takes it over.</content>
public sealed unsafe partial class PagePool
{
    // So that a list request holds up the data for microseconds, however many extents there are.
    private const int ScannedMax = 4096;

    /// <summary>The end of a list.</summary>
    internal const ulong ListEnd = ulong.MaxValue;

    /// <summary>
    /// Drops everything that is held in a shard of which this silo is no replica any more. The frames fall free as in <see cref="DropSegment"/>.
    /// Segments and their fences stay.
    /// </summary>
    public void DropShard(ShardId shard)
    {
        for (int i = 1; i < _extentUntouched; i++)
        {
            if (_extents[i].Segment == 0 || _extents[i].Shard != shard.Value) continue;
            SegmentRecord* owner = FindSegment(_extents[i].Segment);
            if (owner != null) RemoveExtent(owner, i);
        }
    }

    /// <summary>Lists live segments from <paramref name="cursor"/> on, which it moves; at the end it is <see cref="ListEnd"/>.</summary>
    internal int ListSegments(ref ulong cursor, Span<CopyEntry> entries)
    {
        int count = 0;
        ulong end = Math.Min((ulong)_segmentUntouched, Math.Max(cursor, 1) + ScannedMax);
        for (cursor = Math.Max(cursor, 1); cursor < end && count < entries.Length; cursor++)
        {
            SegmentRecord* record = _segments + cursor;
            if (record->State == SegmentState.Live) entries[count++] = Entry(record);
        }
        if (cursor >= (ulong)_segmentUntouched) cursor = ListEnd;
        return count;
    }

    /// <summary>Lists the extents of a shard from <paramref name="cursor"/> on, which it moves; at the end it is <see cref="ListEnd"/>.</summary>
    internal int ListExtents(ushort shard, ref ulong cursor, Span<CopyEntry> entries)
    {
        int count = 0;
        ulong end = Math.Min((ulong)_extentUntouched, Math.Max(cursor, 1) + ScannedMax);
        for (cursor = Math.Max(cursor, 1); cursor < end && count < entries.Length; cursor++)
        {
            ExtentRecord* extent = _extents + cursor;
            if (extent->Segment == 0 || extent->Shard != shard) continue;
            SegmentRecord* owner = FindSegment(extent->Segment);
            if (owner == null || owner->State != SegmentState.Live) continue;
            entries[count] = Entry(owner);
            if (extent->Lost) entries[count].Sparse |= CopyEntry.Lost;
            entries[count].Extent = extent->Extent;
            entries[count].FloorToken = extent->FloorToken;
            entries[count++].FloorSequence = extent->FloorSequence;
        }
        if (cursor >= (ulong)_extentUntouched) cursor = ListEnd;
        return count;
    }

    /// <summary>Takes over what a lead knows of a segment. False: it was freed here, or there is no room for it.</summary>
    internal bool Adopt(in CopyEntry entry)
    {
        SegmentRecord* record = FindSegment(entry.Segment);
        if (record == null)
        {
            if (entry.Segment == 0) return false;
            record = AddSegment(entry.Segment);
            if (record == null) return false;
            record->State = SegmentState.Live;
            record->Sparse = (entry.Sparse & 1) != 0;
            _segmentsLive++;
        }
        if (record->State != SegmentState.Live) return false;
        if (!_forgetsTokens) record->Fence = Math.Max(record->Fence, entry.Fence);
        Confirm(record, entry.Confirmed);
        return true;
    }

    /// <summary>Takes over an extent's floor: what is here and not above it was dropped.</summary>
    internal bool AdoptFloor(in CopyEntry entry, ushort shard)
    {
        SegmentRecord* owner = FindSegment(entry.Segment);
        if (owner == null || owner->State != SegmentState.Live) return false;
        ExtentRecord* extent = ExtentFor(owner, entry.Extent, shard);
        if (extent == null) return false;
        if ((entry.Sparse & CopyEntry.Lost) != 0)
        {
            extent->Lost = true;
            DiscardTable(owner, extent);
        }
        if (extent->Floor >= entry.Floor) return true;
        RaiseFloor(extent, entry.Floor);
        for (int i = 0; extent->Table != null && i < Layout.PagesPerExtent; i++)
            if (extent->Table[i].Frame != 0 && extent->Table[i].Version <= entry.Floor) Store(owner, extent, extent->Table + i, extent->Table[i].Version, 0);
        Raise(owner, extent, entry.Floor);
        return true;
    }

    /// <summary>The rule for a page that another replica sends: newer than what is here, whatever the token. Else as <see cref="Admit"/>.</summary>
    internal PageStatus AdmitCopy(ulong segment, ulong page, PageVersion version, ushort shard, bool needsFrame, out PageSlot slot)
    {
        slot = default;
        SegmentRecord* owner = FindSegment(segment);
        if (owner == null) return PageStatus.NotFenced;
        if (owner->State == SegmentState.Gone) return PageStatus.Gone;
        return AdmitNewer(owner, page, version, shard, needsFrame, out slot, out _);
    }

    private static CopyEntry Entry(SegmentRecord* record) => new()
    {
        Segment = record->Id,
        Fence = record->Fence,
        ConfirmedToken = record->ConfirmedToken,
        ConfirmedSequence = record->ConfirmedSequence,
        Sparse = record->Sparse ? 1u : 0,
    };

    private static void RaiseFloor(ExtentRecord* extent, PageVersion floor)
    {
        if (extent->Floor < floor) (extent->FloorToken, extent->FloorSequence) = (floor.Token, floor.Sequence);
    }

    private void Forget(SegmentRecord* owner, ExtentRecord* extent, PageEntry* entry)
    {
        Store(owner, extent, entry, default, 0);
    }
}
