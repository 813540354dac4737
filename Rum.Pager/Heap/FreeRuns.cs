using System.Numerics;

namespace Rum.Pager.Heap;

/// <summary>
/// Free page runs by length: exact lists up to 16 pages, then 16 per doubling, with a bitmap of the lists that are not empty. Taking looks for the best of a few in the run's own
/// list, then takes the first of the next longer one: near best fit in constant time. Under the page lock.
/// </summary>
internal sealed unsafe class FreeRuns(SpanTable table)
{
    private const int Exact = 16;
    private const int PerDoubling = 16;
    private const int Lists = Exact + PerDoubling * 29;
    private const int LooksMax = 16;

    private readonly uint[] _heads = new uint[Lists];
    private readonly ulong[] _filled = new ulong[(Lists + 63) / 64];

    /// <summary>Pages in all lists.</summary>
    public long Pages { get; private set; }

    /// <summary>Adds a free span.</summary>
    public void Add(uint id)
    {
        int list = ListOf(table.Spans[id].Pages);
        table.Push(ref _heads[list], id);
        _filled[list >> 6] |= 1UL << (list & 63);
        Pages += table.Spans[id].Pages;
    }

    /// <summary>Takes out a span that is in.</summary>
    public void Remove(uint id)
    {
        int list = ListOf(table.Spans[id].Pages);
        table.Remove(ref _heads[list], id);
        if (_heads[list] == 0) _filled[list >> 6] &= ~(1UL << (list & 63));
        Pages -= table.Spans[id].Pages;
    }

    /// <summary>Finds a span of at least that many pages without taking it; 0 for none.</summary>
    public uint Find(long pages)
    {
        int list = ListOf(pages);
        uint best = 0;
        int looks = 0;
        for (uint id = _heads[list]; id != 0 && looks < LooksMax; id = table.Spans[id].Next, looks++)
        {
            uint found = table.Spans[id].Pages;
            if (found >= pages && (best == 0 || found < table.Spans[best].Pages)) best = id;
        }
        if (best != 0) return best;
        int next = NextFilled(list + 1);
        if (next >= 0) return _heads[next];

        // Nothing longer: the rest of the own list decides.
        for (uint id = _heads[list]; id != 0; id = table.Spans[id].Next)
        {
            if (table.Spans[id].Pages >= pages) return id;
        }
        return 0;
    }

    /// <summary>The first span of a list at or after <paramref name="list"/>, to walk all: pass -1 at first. 0 at the end.</summary>
    public uint FirstFrom(ref int list)
    {
        list = NextFilled(list + 1);
        return list < 0 ? 0 : _heads[list];
    }

    /// <summary>Pages of the longest span.</summary>
    public long LongestPages()
    {
        long longest = 0;
        for (int i = Lists - 1; i >= 0 && longest == 0; i--)
        {
            for (uint id = _heads[i]; id != 0; id = table.Spans[id].Next) longest = Math.Max(longest, table.Spans[id].Pages);
        }
        return longest;
    }

    private static int ListOf(long pages)
    {
        if (pages < Exact) return (int)pages;
        int log = BitOperations.Log2((ulong)pages);
        return Exact + (log - 4) * PerDoubling + (int)((pages >> (log - 4)) & (PerDoubling - 1));
    }

    private int NextFilled(int list)
    {
        if (list >= Lists) return -1;
        int word = list >> 6;
        ulong bits = _filled[word] & (ulong.MaxValue << (list & 63));
        while (bits == 0)
        {
            if (++word == _filled.Length) return -1;
            bits = _filled[word];
        }
        return (word << 6) + BitOperations.TrailingZeroCount(bits);
    }
}
