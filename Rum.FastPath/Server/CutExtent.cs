using Rum.Core;

namespace Rum.FastPath.Server;

/// <summary>An extent of a cut: which of its pages have images, and where. Filled on the data thread, read by whoever saves it; see <see cref="CutReader"/>.</summary>
public sealed unsafe class CutExtent
{
    private readonly ushort[] _pages = new ushort[Layout.PagesPerExtent];
    private readonly nint[] _images = new nint[Layout.PagesPerExtent];

    /// <summary>Pages with images.</summary>
    public int Count { get; private set; }

    /// <summary>Its segment; 0: there was nothing here, look further.</summary>
    public ulong Segment { get; private set; }

    /// <summary>Its number in the segment.</summary>
    public uint Extent { get; private set; }

    /// <summary>Its shard.</summary>
    public ushort Shard { get; private set; }

    internal int Record { get; private set; }

    internal int Frozen { get; private set; } = -1;

    /// <summary>Which pages of the extent, ascending.</summary>
    public ReadOnlySpan<ushort> Pages => _pages.AsSpan(0, Count);

    /// <summary>Copies one of the images.</summary>
    /// <param name="index">Which of <see cref="Pages"/>.</param>
    /// <param name="to">A page's room.</param>
    public void CopyTo(int index, Span<byte> to) => new ReadOnlySpan<byte>((void*)_images[index], Layout.PageSize).CopyTo(to);

    internal void Take(int record, int frozen, ulong segment, uint extent, ushort shard, PageEntry* table, PagePool pool)
    {
        (Record, Frozen, Segment, Extent, Shard) = (record, frozen, segment, extent, shard);
        int count = 0;
        for (int i = 0; i < Layout.PagesPerExtent; i++)
        {
            if (table[i].Frame == 0) continue;
            _pages[count] = (ushort)i;
            _images[count++] = (nint)pool.Address(table[i].Frame);
        }
        Count = count;
    }

    internal void Clear() => (Segment, Count) = (0, 0);
}
