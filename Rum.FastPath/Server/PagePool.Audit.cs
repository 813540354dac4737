using Rum.Core;

namespace Rum.FastPath.Server;

/// <content>What the owner asks the council about: extents with pages, and the removal of those that shouldn't be.</content>
public sealed unsafe partial class PagePool
{
    /// <summary>The extents of live segments that hold pages, at most as many as fit; returns how many.</summary>
    public int ListExtents(Span<StoredExtent> extents)
    {
        int count = 0;
        for (int i = 1; i < _segmentUntouched && count < extents.Length; i++)
        {
            if (_segments[i].State != SegmentState.Live) continue;
            for (int e = _segments[i].FirstExtent; e != 0 && count < extents.Length; e = _extents[e].NextOfSegment)
            {
                if (_extents[e].Stored > 0) extents[count++] = new StoredExtent(new SegmentId(_segments[i].Id), _extents[e].Extent, _segments[i].Newest);
            }
        }
        return count;
    }

    /// <summary>
    /// Drops those pages of a range of one extent that are not newer than <paramref name="newest"/>: what was stored after the council was asked stays, as the
    /// range may be in use again by now. The pages keep their versions, so that no late duplicate brings one back. Returns how many there were.
    /// </summary>
    public int DropOlder(SegmentId segment, long firstPage, long count, PageVersion newest)
    {
        SegmentRecord* record = FindSegment(segment.Value);
        if (record == null || record->State != SegmentState.Live) return 0;
        ExtentRecord* extent = FindExtent(segment.Value, (uint)(firstPage / Layout.PagesPerExtent));
        if (extent == null || extent->Table == null) return 0;
        int dropped = 0;
        PageEntry* entry = extent->Table + (firstPage % Layout.PagesPerExtent);
        for (PageEntry* end = entry + Math.Min(count, Layout.PagesPerExtent - (firstPage % Layout.PagesPerExtent)); entry < end; entry++)
        {
            if (entry->Frame == 0 || entry->Version > newest) continue;
            Store(record, extent, entry, entry->Version, 0);
            dropped++;
        }
        return dropped;
    }
}

/// <summary>An extent that holds pages.</summary>
/// <param name="Segment">Its segment.</param>
/// <param name="Extent">Its number in the segment.</param>
/// <param name="Newest">No page of the segment here is newer.</param>
public readonly record struct StoredExtent(SegmentId Segment, uint Extent, PageVersion Newest);
