using Rum.Core;
using Rum.FastPath.Client;
using Rum.Pager.Paging;

namespace Rum.Simulation.Client;

/// <summary>
/// A rescue that hands the program the very slot that the write-back still reads: its memory leaves with the page, and what a resend reads is garbage.
/// Made around the engine: it knows which images are on their way, and spoils one when its page is mapped meanwhile.
/// </summary>
internal sealed unsafe class RescuesWithTheSlot(SimulatedMemory inner, World world, string who, PageClient client) : TracedChannel(world, who, client), IPageMapper
{
    private const byte Garbage = 0xDB;

    private readonly Dictionary<nint, nint> _onTheirWay = [];
    private readonly Dictionary<(SegmentId Segment, long Page), nint> _images = [];
    private readonly Dictionary<ulong, (SegmentId Segment, long Page)> _writes = [];

    public bool Moves => inner.Moves;

    public bool MovesZeroPages => inner.MovesZeroPages;

    public long NowNs => inner.NowNs;

    public byte* Slots => inner.Slots;

    public override bool TryWrite(in SegmentHandle segment, long page, byte* image, ulong cookie)
    {
        if (!base.TryWrite(segment, page, image, cookie)) return false;
        if (image == null) return true;
        _images[(segment.Segment, page)] = (nint)image;
        _writes[cookie] = (segment.Segment, page);
        return true;
    }

    public override int Poll(long nowNs, Span<PageCompletion> completions)
    {
        int count = base.Poll(nowNs, completions);
        foreach (ref readonly PageCompletion c in completions[..count])
        {
            if (c.Operation == PageOperation.Write && _writes.Remove(c.Cookie, out (SegmentId Segment, long Page) page)) _images.Remove(page);
        }
        return count;
    }

    public MapOutcome MoveOut(int slot, nint page, int count, out int done)
    {
        MapOutcome outcome = inner.MoveOut(slot, page, count, out done);
        for (int i = 0; i < done; i++) _onTheirWay[page + ((nint)i << Layout.PageShift)] = (nint)(inner.Slots + ((long)(slot + i) << Layout.PageShift));
        return outcome;
    }

    public MapOutcome MoveIn(nint page, int slot, int count, out int done)
    {
        MapOutcome outcome = inner.MoveIn(page, slot, count, out done);
        if (_onTheirWay.Remove(page, out nint image) && image != (nint)(inner.Slots + ((long)slot << Layout.PageShift)) && _images.ContainsValue(image))
            new Span<byte>((void*)image, Layout.PageSize).Fill(Garbage);
        return outcome;
    }

    public RumError OpenRegion(long reservedBytes, long bytes, bool readOnly, out nint address) => inner.OpenRegion(reservedBytes, bytes, readOnly, out address);

    public RumError ResizeRegion(nint address, long oldBytes, long newBytes, bool readOnly) => inner.ResizeRegion(address, oldBytes, newBytes, readOnly);

    public void CloseRegion(nint address, long reservedBytes) => inner.CloseRegion(address, reservedBytes);

    public void* OpenTable(long bytes) => inner.OpenTable(bytes);

    public void CloseTable(void* table, long bytes) => inner.CloseTable(table, bytes);

    public void BackSlots(int slot, int count) => inner.BackSlots(slot, count);

    public void UnbackSlots(int slot, int count) => inner.UnbackSlots(slot, count);

    public MapOutcome CopyIn(nint page, byte* source, int count, out int done) => inner.CopyIn(page, source, count, out done);

    public MapOutcome Zero(nint page, int count, out int done) => inner.Zero(page, count, out done);

    public void Protect(nint page, bool on) => inner.Protect(page, on);

    public void Drop(nint page, long count) => inner.Drop(page, count);

    public void Wake(nint page) => inner.Wake(page);

    public void Poison(nint page) => inner.Poison(page);

    public byte* View(nint page) => inner.View(page);
}
