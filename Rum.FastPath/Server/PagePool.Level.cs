using Rum.Core;

namespace Rum.FastPath.Server;

/// <content>
/// Which pages the replicas of a segment may have differently: those above the mark up to which its writer said that all is acknowledged. Nothing is kept for each of
/// them: extents without news are passed over, the others looked through when a successor asks.
/// </content>
public sealed unsafe partial class PagePool
{
    // So that a list request holds up the data for some tens of microseconds.
    private const int TablesLookedThroughMax = 4;

    /// <summary>
    /// The holder of the recorded token says that every version up to <paramref name="mark"/> is on all replicas, or was replaced on all. Ignored from others, and with sequence 0, which says nothing.
    /// </summary>
    public void Confirm(SegmentId segment, PageVersion mark)
    {
        if (mark.Sequence == 0) return;
        SegmentRecord* record = FindSegment(segment.Value);
        if (record != null && record->State == SegmentState.Live && record->Fence == mark.Token) Confirm(record, mark);
    }

    /// <summary>Whether <see cref="ListUnlevel"/> has something to say.</summary>
    internal bool IsUnlevel(ulong segment)
    {
        SegmentRecord* record = FindSegment(segment);
        return record != null && record->Newest > record->Confirmed;
    }

    /// <summary>
    /// Lists the pages above the mark from <paramref name="cursor"/> on, which it moves; at the end it is <see cref="ListEnd"/>. Only for the holder of the recorded
    /// token; for others what <see cref="Fence"/> would say.
    /// </summary>
    internal PageStatus ListUnlevel(ulong segment, ulong token, ref ulong cursor, Span<UnlevelPages> entries, out int count)
    {
        count = 0;
        SegmentRecord* record = FindSegment(segment);
        PageVersion current = default;
        PageStatus status = CheckFence(record, token, ref current);
        if (status != PageStatus.Ok) return status;
        int index = (int)(cursor >> 32), page = (int)(uint)cursor;
        // The extent may be gone since the last question: then from the start again, for what is listed twice does no harm.
        if (index <= 0 || index >= _extentUntouched || _extents[index].Segment != segment || page >= Layout.PagesPerExtent) (index, page) = (record->FirstExtent, 0);
        PageVersion mark = record->Confirmed;
        cursor = ListEnd;
        if (record->Newest <= mark) return PageStatus.Ok;
        int tables = 0, looked = 0;
        for (; index != 0; index = _extents[index].NextOfSegment, page = 0)
        {
            ExtentRecord* extent = _extents + index;
            if (++looked > ScannedMax || tables == TablesLookedThroughMax)
            {
                cursor = (ulong)index << 32;
                break;
            }
            // A lost one is Lost everywhere.
            if (extent->Lost || (extent->Newest <= mark && extent->Floor <= mark)) continue;
            tables++;
            if (ListUnlevel(extent, mark, ref page, entries, ref count)) continue;
            cursor = ((ulong)index << 32) | (uint)page;
            break;
        }
        return PageStatus.Ok;
    }

    /// <summary>False: there is no room for more; go on at <paramref name="page"/>.</summary>
    private static bool ListUnlevel(ExtentRecord* extent, PageVersion mark, ref int page, Span<UnlevelPages> entries, ref int count)
    {
        PageVersion floor = extent->Floor;
        ulong start = (ulong)extent->Extent * Layout.PagesPerExtent;
        while (page < Layout.PagesPerExtent)
        {
            PageVersion version = VersionOf(extent, page, floor, out bool zero);
            if (version <= mark)
            {
                page++;
                continue;
            }
            if (count == entries.Length) return false;
            int first = page++;
            while (zero && page < Layout.PagesPerExtent && VersionOf(extent, page, floor, out bool also) == version && also) page++;
            entries[count++] = new UnlevelPages
            {
                Page = start + (ulong)first,
                Token = version.Token,
                Sequence = version.Sequence,
                Count = (uint)(page - first),
                Zero = zero ? 1u : 0,
            };
        }
        return true;
    }

    private static PageVersion VersionOf(ExtentRecord* extent, int page, PageVersion floor, out bool zero)
    {
        zero = true;
        if (extent->Table == null) return floor;
        PageEntry* entry = extent->Table + page;
        zero = entry->Frame == 0;
        return entry->Version > floor ? entry->Version : floor;
    }

    private static void Confirm(SegmentRecord* record, PageVersion mark)
    {
        if (record->Confirmed < mark) (record->ConfirmedToken, record->ConfirmedSequence) = (mark.Token, mark.Sequence);
    }
}
