using Rum.Core;
using Rum.FastPath.Server;

namespace Rum.FastPath.Client;

/// <summary>
/// What replicas say that they have above the confirmed mark, put together: for each page the newest. Pages with an image are to be read where that is and written
/// to all; runs of zeros are to be trimmed at all.
/// </summary>
internal sealed class LevelPlan
{
    private struct Single
    {
        public PageVersion Newest;
        public PageVersion Readable;
        public ulong From;
        public bool Zero;
    }

    /// <summary>Pages to be made equal: one with an image, or a run of zeros within one extent.</summary>
    /// <param name="Page">The first page.</param>
    /// <param name="Count">How many.</param>
    /// <param name="Zero">They become zeros.</param>
    /// <param name="From">The silo in sync with the newest image; 0: any.</param>
    internal readonly record struct Piece(long Page, int Count, bool Zero, ulong From);

    private readonly Dictionary<long, Single> _singles = [];
    private readonly Dictionary<(long Page, int Count), PageVersion> _runs = [];

    /// <summary>After <see cref="Close"/>.</summary>
    public List<Piece> Pieces { get; } = [];

    /// <summary>What a silo has; <paramref name="from"/> 0 where it can't be read, for it is learning. What isn't within the segment is left out.</summary>
    public void Add(in UnlevelPages entry, long pages, ulong from)
    {
        if (entry.Page >= (ulong)pages || entry.Count == 0 || entry.Count > Layout.PagesPerExtent - (entry.Page % Layout.PagesPerExtent)) return;
        long page = (long)entry.Page;
        int count = (int)Math.Min(entry.Count, pages - page);
        if (count > 1)
        {
            if (entry.Zero != 0 && _runs.GetValueOrDefault((page, count)) < entry.Version) _runs[(page, count)] = entry.Version;
            return;
        }
        Single single = _singles.GetValueOrDefault(page);
        if (single.Newest < entry.Version) (single.Newest, single.Zero) = (entry.Version, entry.Zero != 0);
        if (from != 0 && single.Readable < entry.Version) (single.Readable, single.From) = (entry.Version, from);
        _singles[page] = single;
    }

    /// <summary>All is said: <see cref="Pieces"/> is what to do, in the order of the pages.</summary>
    public void Close()
    {
        var winners = new List<long>(_singles.Count);
        foreach ((long page, Single single) in _singles)
            if (single.Newest > ZerosAt(page)) winners.Add(page);
        winners.Sort();
        foreach (long page in winners)
        {
            Single single = _singles[page];
            Pieces.Add(new Piece(page, 1, single.Zero, single.Zero ? 0 : single.From));
        }
        foreach ((long first, int count) in _runs.Keys)
        {
            int at = winners.BinarySearch(first);
            if (at < 0) at = ~at;
            long from = first;
            for (; at < winners.Count && winners[at] < first + count; at++)
            {
                if (winners[at] > from) Pieces.Add(new Piece(from, (int)(winners[at] - from), true, 0));
                from = winners[at] + 1;
            }
            if (from < first + count) Pieces.Add(new Piece(from, (int)(first + count - from), true, 0));
        }
        _singles.Clear();
        _runs.Clear();
        Pieces.Sort(static (a, b) => a.Page.CompareTo(b.Page));
    }

    // Few: a writer has at most some dozens of trims outstanding.
    private PageVersion ZerosAt(long page)
    {
        PageVersion newest = default;
        foreach (((long first, int count), PageVersion version) in _runs)
            if (page >= first && page < first + count && version > newest) newest = version;
        return newest;
    }
}
