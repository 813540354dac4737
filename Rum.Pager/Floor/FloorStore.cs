using Rum.Core;
using Rum.Pager.Linux;

namespace Rum.Pager.Floor;

/// <summary>
/// The memory behind a <see cref="FloorChannel"/>: segments of a fixed size, made before they are used, or at first use where
/// <paramref name="bytesAtFirstUse"/> (address space, not memory) isn't 0.
/// </summary>
public sealed unsafe class FloorStore(long bytesAtFirstUse = 0) : IDisposable
{
    private readonly List<Store> _segments = [];

    private readonly record struct Store(ulong Segment, long Pages, nint Memory, nint Written);

    /// <summary>Makes a segment, all zeros.</summary>
    public void Add(SegmentId segment, long bytes)
    {
        long pages = Layout.PagesFor(bytes);
        _segments.Add(new Store(segment.Value, pages, Reserve(pages << Layout.PageShift), Reserve(pages)));
    }

    /// <summary>The page as last written, null when it is all zeros.</summary>
    public byte* Read(SegmentId segment, long page)
    {
        Store store = Find(segment, page);
        return ((byte*)store.Written)[page] == 0 ? null : (byte*)store.Memory + (page << Layout.PageShift);
    }

    /// <summary>Writes a page; null: zeros.</summary>
    public void Write(SegmentId segment, long page, byte* image)
    {
        Store store = Find(segment, page);
        ((byte*)store.Written)[page] = image is null ? (byte)0 : (byte)1;
        if (image is not null) Buffer.MemoryCopy(image, (byte*)store.Memory + (page << Layout.PageShift), Layout.PageSize, Layout.PageSize);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Store store in _segments)
        {
            PagerNative.Munmap(store.Memory, (nuint)(store.Pages << Layout.PageShift));
            PagerNative.Munmap(store.Written, (nuint)store.Pages);
        }

        _segments.Clear();
    }

    private static nint Reserve(long bytes) => LinuxPageMapper.Reserve(bytes, PagerNative.ProtRead | PagerNative.ProtWrite);

    private Store Find(SegmentId segment, long page)
    {
        foreach (Store store in _segments)
            if (store.Segment == segment.Value && page >= 0 && page < store.Pages) return store;
        return AddAtFirstUse(segment, page);
    }

    // Apart from Find, whose every call would else allocate the closure.
    private Store AddAtFirstUse(SegmentId segment, long page)
    {
        if (page < 0 || page >= Layout.PagesFor(bytesAtFirstUse) || _segments.Exists(store => store.Segment == segment.Value))
            throw new ArgumentOutOfRangeException(nameof(page), $"page {page} of {segment} isn't in the store");
        Add(segment, bytesAtFirstUse);
        return _segments[^1];
    }
}
