using System.Buffers.Binary;
using Rum.Core;

namespace Rum.Simulation.Client;

/// <summary>
/// What is right: the bytes of a segment as its writer stored them, and every state that a page went through, so that a reader's view or a
/// silo's can be placed in time. A page has eight words that are used, spread over it so that every fragment has one; the rest stays zero.
/// </summary>
internal sealed class SegmentModel(string name, SegmentId id, IReadOnlyList<long> pages)
{
    /// <summary>Used words of a page.</summary>
    public const int Words = 8;

    /// <summary>Where they are, in bytes.</summary>
    public static readonly int[] Offsets = [0, 520, 1040, 1560, 2080, 2600, 3120, 4088];

    private readonly PageModel[] _pages = [.. pages.Select(p => new PageModel(p))];

    public string Name => name;

    public SegmentId Id => id;

    /// <summary>The pages that the program uses: few, around the borders of extents.</summary>
    public int Count => _pages.Length;

    public PageModel this[int index] => _pages[index];

    /// <summary>Its session has ended, and it with it.</summary>
    public bool Freed { get; set; }

    /// <summary>Where it was cut off; from then on nobody opens it any more.</summary>
    public long CutAt { get; set; } = long.MaxValue;

    /// <summary>Just made: nobody has opened it since.</summary>
    public bool Fresh { get; set; }
}

/// <summary>One page: its present words and its past.</summary>
internal sealed class PageModel(long number)
{
    private readonly List<(long At, int Word, ulong Old)> _past = [];

    /// <summary>Its number in the segment.</summary>
    public long Number => number;

    /// <summary>What a load by the writer must see.</summary>
    public ulong[] Words { get; } = new ulong[SegmentModel.Words];

    /// <summary>When the last flush that ended had begun: no one who comes later may see an older state.</summary>
    public long FlushedAt { get; set; }

    /// <summary>The writer before ended without a flush: the page is one of the states since <see cref="FlushedAt"/>; the first look decides which.</summary>
    public bool Inherited { get; set; }

    /// <summary>Threads that work on it.</summary>
    public int Users { get; set; }

    /// <summary>Being dropped: nobody else touches it, and a look sees either.</summary>
    public bool Dropping { get; set; }

    public void Store(long at, int word, ulong value)
    {
        _past.Add((at, word, Words[word]));
        Words[word] = value;
    }

    /// <summary>All words become zero in one moment.</summary>
    public void Clear(long at)
    {
        for (int w = 0; w < SegmentModel.Words; w++)
            if (Words[w] != 0) Store(at, w, 0);
    }

    /// <summary>What was seen first after the writer before ended is what the page is.</summary>
    public void Adopt(long at, ReadOnlySpan<ulong> seen)
    {
        for (int w = 0; w < SegmentModel.Words; w++)
            if (Words[w] != seen[w]) Store(at, w, seen[w]);
        Inherited = false;
    }

    /// <summary>Whether the page as a whole was once in this state, at <paramref name="notBefore"/> or later.</summary>
    public bool Was(ReadOnlySpan<ulong> seen, long notBefore)
    {
        Span<ulong> state = stackalloc ulong[SegmentModel.Words];
        Words.CopyTo(state);
        int i = _past.Count - 1;
        while (true)
        {
            if (state.SequenceEqual(seen)) return true;
            if (i < 0 || _past[i].At <= notBefore) return false;
            for (long at = _past[i].At; i >= 0 && _past[i].At == at; i--) state[_past[i].Word] = _past[i].Old;
        }
    }

    /// <summary>Reads the used words of an image; false when a byte between them isn't zero.</summary>
    public static bool TryRead(ReadOnlySpan<byte> image, Span<ulong> words)
    {
        int from = 0;
        bool clean = true;
        for (int w = 0; w < SegmentModel.Words; w++)
        {
            int at = SegmentModel.Offsets[w];
            clean &= !image[from..at].ContainsAnyExcept((byte)0);
            words[w] = BinaryPrimitives.ReadUInt64LittleEndian(image[at..]);
            from = at + sizeof(ulong);
        }
        return clean;
    }

    public static string Text(ReadOnlySpan<ulong> words) => string.Join(' ', words.ToArray().Select(w => w.ToString("x", System.Globalization.CultureInfo.InvariantCulture)));
}
