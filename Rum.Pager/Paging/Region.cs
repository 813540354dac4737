using Rum.Core;
using Rum.FastPath.Client;

namespace Rum.Pager.Paging;

/// <summary>
/// One mapped segment: its address range and the words of its pages, in tables that cost only what was touched. Every change of a word goes
/// through <see cref="Set"/>, which keeps the counts per chunk that let sweeps skip what was never used.
/// </summary>
internal sealed unsafe partial class Region
{
    internal const int ChunkShift = 9;
    internal const int ChunkPages = 1 << ChunkShift;

    private readonly ulong* _words;
    private readonly ushort* _live;
    private readonly ushort* _far;
    private readonly IPageMapper _mapper;
    private readonly long _tableBytes;

    internal Region(IPageMapper mapper, int index, nint address, in RegionOptions options)
    {
        _mapper = mapper;
        Index = index;
        Address = address;
        Segment = options.Segment;
        ReadOnly = options.ReadOnly;
        Fresh = options.Fresh;
        Reserved = Layout.PagesFor(options.ReservedBytes) << Layout.PageShift;
        Pages = Layout.PagesFor(options.Bytes);
        Copies = ReadOnly || !mapper.Moves;
        long pages = Reserved >> Layout.PageShift;
        long chunks = (pages >> ChunkShift) + 1;
        long wordBytes = (chunks << ChunkShift) * sizeof(ulong);
        long holdBytes = (chunks << ChunkShift) * sizeof(int);
        _tableBytes = wordBytes + holdBytes + 2 * chunks * sizeof(ushort);
        byte* table = (byte*)mapper.OpenTable(_tableBytes);
        _words = (ulong*)table;
        _holds = (int*)(table + wordBytes);
        _live = (ushort*)(table + wordBytes + holdBytes);
        _far = _live + chunks;
    }

    internal int Index { get; }

    internal nint Address { get; }

    internal long Reserved { get; }

    /// <summary>Accessible pages.</summary>
    internal long Pages { get; set; }

    internal SegmentHandle Segment { get; }

    internal bool ReadOnly { get; }

    internal bool Fresh { get; }

    /// <summary>Pages come by copy and go by drop, not by move: MOVE works only between writable mappings.</summary>
    internal bool Copies { get; }

    /// <summary>Unmapped already; only requests that were outstanding keep it.</summary>
    internal bool Closed { get; set; }

    /// <summary>A fault in it was given up: some pages may be marked so that touching them is SIGBUS.</summary>
    internal bool Poisoned { get; set; }

    /// <summary>Fetches and write-backs that name this region.</summary>
    internal int Busy { get; set; }

    internal PageWord this[long page] => new(_words[page]);

    internal nint AddressOf(long page) => Address + (nint)(page << Layout.PageShift);

    /// <summary>Whether a silo may hold something for the page.</summary>
    internal bool IsRemote(PageWord word) => word.Seen ? word.Remote : !Fresh;

    internal void Set(long page, PageWord word)
    {
        PageWord old = new(_words[page]);
        _words[page] = word.Bits;
        long chunk = page >> ChunkShift;
        bool lived = old.State != PageState.Absent, lives = word.State != PageState.Absent;
        if (lived != lives) _live[chunk] += (ushort)(lives ? 1 : -1);
        if (old.Remote != word.Remote) _far[chunk] += (ushort)(word.Remote ? 1 : -1);
    }

    /// <summary>The first page from <paramref name="page"/> on, below <paramref name="end"/>, that may be here (in any state but Absent).</summary>
    internal long NextLive(long page, long end) => Next(page, end, false);

    /// <summary>The first page that may be here or at a silo.</summary>
    internal long NextUsed(long page, long end) => Next(page, end, true);

    internal void CloseTables() => _mapper.CloseTable(_words, _tableBytes);

    private long Next(long page, long end, bool far)
    {
        while (page < end)
        {
            long chunk = page >> ChunkShift;
            if (_live[chunk] != 0 || far && (!Fresh || _far[chunk] != 0)) return page;
            page = (chunk + 1) << ChunkShift;
        }

        return end;
    }
}
