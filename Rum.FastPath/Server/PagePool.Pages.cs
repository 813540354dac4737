using Rum.Core;

namespace Rum.FastPath.Server;

/// <content>Pages: reading, the rule for writes, trimming.</content>
public sealed unsafe partial class PagePool
{
    /// <summary>
    /// Reads a page: its image (null: zeros) and version. The image is valid until the next call that changes the pool.
    /// Gone for freed segments; a page never written is Ok with version (0, 0).
    /// </summary>
    public PageStatus Read(SegmentId segment, long page, out byte* image, out PageVersion version)
    {
        image = null;
        version = default;
        PageStatus status = Locate(segment.Value, (ulong)page, out PageEntry* entry);
        if (entry == null) return status;
        version = entry->Version;
        if (entry->Frame != 0) image = _arena.Address(entry->Frame);
        return PageStatus.Ok;
    }

    /// <summary>
    /// Writes a page (null image: zeros) if it may: Ok when applied or when this very version is there already. <paramref name="current"/> is
    /// the version that is there afterwards, or the fence in its token for Fenced.
    /// </summary>
    public PageStatus Write(SegmentId segment, long page, PageVersion version, byte* image, out PageVersion current)
    {
        PageStatus status = Admit(segment.Value, (ulong)page, version, 0, image != null, out PageSlot slot, out current);
        if (status != PageStatus.Ok || slot.Entry == null) return status;
        uint frame = 0;
        if (image != null)
        {
            frame = TakeFrame();
            if (frame == 0) return PageStatus.OutOfMemory;
            Buffer.MemoryCopy(image, _arena.Address(frame), Layout.PageSize, Layout.PageSize);
        }
        Commit(slot, version, frame);
        return PageStatus.Ok;
    }

    /// <summary>
    /// Drops consecutive pages of one extent: those not newer than <paramref name="version"/> read as zeros from then on. Repeating it changes nothing.
    /// </summary>
    /// <param name="segment">The segment.</param>
    /// <param name="page">The first page.</param>
    /// <param name="count">How many.</param>
    /// <param name="version">The trim's version.</param>
    /// <param name="current">The fence in its token for Fenced.</param>
    /// <param name="shard">The extent's shard.</param>
    /// <param name="always">
    /// The version is kept for pages too of which nothing is stored here: another replica may still send an older image to this one, which is learning.
    /// </param>
    public PageStatus Trim(
        SegmentId segment, long page, int count, PageVersion version, out PageVersion current, ushort shard = 0, bool always = false)
    {
        current = version;
        SegmentRecord* owner = FindSegment(segment.Value);
        PageStatus status = CheckFence(owner, version.Token, ref current);
        if (status != PageStatus.Ok) return status;
        uint number = (uint)((ulong)page / Layout.PagesPerExtent);
        ExtentRecord* extent = always ? ExtentFor(owner, number, shard) : FindExtent(segment.Value, number);
        if (always && extent == null) return PageStatus.OutOfMemory;
        if (extent != null && extent->Lost) return PageStatus.Lost;
        // Nothing stored: nothing that an older duplicate could bring back, since the writer waited for its writes before it trimmed.
        if (extent == null || (!always && extent->Table == null)) return PageStatus.Ok;
        if (always && extent->Floor >= version) return PageStatus.Ok;
        if (_forgetsTrims)
        {
            for (int i = 0; extent->Table != null && i < count; i++) Forget(owner, extent, extent->Table + (page % Layout.PagesPerExtent) + i);
            return PageStatus.Ok;
        }
        if (always && count == Layout.PagesPerExtent && extent->Newest < version)
        {
            RaiseFloor(extent, version);
            DiscardTable(owner, extent);
        }
        else
        {
            if (always && ExtentForWrite(owner, number, shard) == null) return PageStatus.OutOfMemory;
            PageEntry* entry = extent->Table + (page % Layout.PagesPerExtent);
            for (PageEntry* end = entry + count; entry < end; entry++)
            {
                if ((entry->Token == 0 && !always) || entry->Version >= version) continue;
                Store(owner, extent, entry, version, 0);
            }
        }
        Raise(owner, extent, version);
        return PageStatus.Ok;
    }

    /// <summary>
    /// What was in an extent is lost: a restore had no whole copy of it. It answers Lost until its pages are dropped with the segment. <paramref name="current"/> as in <see cref="Trim"/>.
    /// </summary>
    public PageStatus Lose(SegmentId segment, long page, PageVersion version, ushort shard, out PageVersion current)
    {
        current = version;
        SegmentRecord* owner = FindSegment(segment.Value);
        PageStatus status = CheckFence(owner, version.Token, ref current);
        if (status != PageStatus.Ok) return status;
        ExtentRecord* extent = ExtentFor(owner, (uint)((ulong)page / Layout.PagesPerExtent), shard);
        if (extent == null) return PageStatus.OutOfMemory;
        extent->Lost = true;
        RaiseFloor(extent, version);
        DiscardTable(owner, extent);
        Raise(owner, extent, version);
        return PageStatus.Ok;
    }

    /// <summary>A place that a write was admitted to.</summary>
    internal readonly struct PageSlot(SegmentRecord* segment, ExtentRecord* extent, PageEntry* entry)
    {
        public readonly SegmentRecord* Segment = segment;
        public readonly ExtentRecord* Extent = extent;
        public readonly PageEntry* Entry = entry;
    }

    /// <summary>The entry of a page; null when nothing was ever written there. Entries of one extent stand side by side.</summary>
    internal PageStatus Locate(ulong segment, ulong page, out PageEntry* entry)
    {
        ExtentRecord* extent = FindExtent(segment, (uint)(page / Layout.PagesPerExtent));
        if (extent != null && extent->Table != null && !extent->Lost)
        {
            entry = extent->Table + (page % Layout.PagesPerExtent);
            return PageStatus.Ok;
        }
        entry = null;
        if (extent != null && extent->Lost) return PageStatus.Lost;
        SegmentRecord* record = FindSegment(segment);
        return record != null && record->State == SegmentState.Gone ? PageStatus.Gone : PageStatus.Ok;
    }

    /// <summary>
    /// The rule: token = fence, version above the page's and the extent's floor. Ok with a slot: <see cref="Commit"/> it at once, before any other call.
    /// Ok without: the very same version is there. <paramref name="confirmed"/>: see <see cref="Confirm(SegmentId, PageVersion)"/>.
    /// </summary>
    internal PageStatus Admit(
        ulong segment, ulong page, PageVersion version, ushort shard, bool needsFrame, out PageSlot slot, out PageVersion current, ulong confirmed = 0)
    {
        slot = default;
        current = version;
        SegmentRecord* owner = FindSegment(segment);
        PageStatus status = CheckFence(owner, version.Token, ref current);
        if (status != PageStatus.Ok) return status;
        if (confirmed != 0) Confirm(owner, new PageVersion(version.Token, confirmed));
        return AdmitNewer(owner, page, version, shard, needsFrame, out slot, out current);
    }

    private PageStatus AdmitNewer(SegmentRecord* owner, ulong page, PageVersion version, ushort shard, bool needsFrame, out PageSlot slot, out PageVersion current)
    {
        slot = default;
        current = version;
        ExtentRecord* extent = ExtentForWrite(owner, (uint)(page / Layout.PagesPerExtent), shard);
        if (extent == null) return PageStatus.OutOfMemory;
        if (extent->Lost) return PageStatus.Lost;
        PageEntry* entry = extent->Table + (page % Layout.PagesPerExtent);
        PageVersion there = entry->Version;
        if (there == version) return PageStatus.Ok;
        if (there > version || extent->Floor >= version)
        {
            current = there > extent->Floor ? there : extent->Floor;
            return PageStatus.Superseded;
        }
        if (needsFrame && owner->Sparse && entry->Frame == 0
            && (_sparsePagesStored >= SparsePagesMax || (FramesFree <= _reserveFrames && !GiveUpCut()))) return PageStatus.OutOfMemory;
        slot = new PageSlot(owner, extent, entry);
        return PageStatus.Ok;
    }

    /// <summary>Swaps in a filled frame (0: zeros) as this version.</summary>
    internal void Commit(in PageSlot slot, PageVersion version, uint frame)
    {
        Store(slot.Segment, slot.Extent, slot.Entry, version, frame);
        Raise(slot.Segment, slot.Extent, version);
    }

    private static PageStatus CheckFence(SegmentRecord* owner, ulong token, ref PageVersion current)
    {
        if (owner == null) return PageStatus.NotFenced;
        if (owner->State == SegmentState.Gone) return PageStatus.Gone;
        if (token == owner->Fence) return PageStatus.Ok;
        current = new PageVersion(owner->Fence, 0);
        return token < owner->Fence ? PageStatus.Fenced : PageStatus.NotFenced;
    }

    private static void Raise(SegmentRecord* owner, ExtentRecord* extent, PageVersion version)
    {
        if (extent->Newest < version) (extent->NewestToken, extent->NewestSequence) = (version.Token, version.Sequence);
        if (owner->Newest < version) (owner->NewestToken, owner->NewestSequence) = (version.Token, version.Sequence);
    }

    private void Store(SegmentRecord* owner, ExtentRecord* extent, PageEntry* entry, PageVersion version, uint frame)
    {
        KeepForCut(extent);
        uint old = entry->Frame;
        entry->Replace(version, frame);
        if (old != 0 && !IsKept(extent, entry, old)) ReturnFrame(old);
        int change = (frame != 0 ? 1 : 0) - (old != 0 ? 1 : 0);
        if (change == 0) return;
        extent->Stored += change;
        _pagesStored += change;
        if (owner->Sparse) _sparsePagesStored += change;
    }
}
