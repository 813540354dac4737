namespace Rum.Pager.Heap;

/// <summary>
/// A stretch of pages of the heap, described outside of them: one slab, one page run, or one free stretch. Lives in the span table and is named by its
/// number there; number 0 is the end of a list and the owner of pages that nobody has, of <see cref="SpanKind.None"/>.
/// </summary>
internal unsafe struct HeapSpan
{
    /// <summary>Address of the first page.</summary>
    public nint Start;

    /// <summary>Slabs: one byte per object, see <see cref="ObjectState"/>.</summary>
    public byte* States;

    /// <summary>Slabs: 2^40 / ObjectSize rounded up, so that a division is a multiplication. Exact because offsets in a slab are below 2^18.</summary>
    public ulong Magic;

    /// <summary>Slabs: bit p is set while page p holds no object but may hold old bytes.</summary>
    public ulong IdlePages;

    /// <summary>Number of pages.</summary>
    public uint Pages;

    /// <summary>Slabs: bytes of an object.</summary>
    public uint ObjectSize;

    /// <summary>Slabs: number of objects.</summary>
    public uint Count;

    /// <summary>Slabs: objects in <see cref="ObjectState.Free"/>.</summary>
    public uint FreeCount;

    /// <summary>Slabs: where the search for free objects goes on.</summary>
    public uint Hint;

    /// <summary>The previous span of the list it is in.</summary>
    public uint Previous;

    /// <summary>The next span of the list it is in.</summary>
    public uint Next;

    /// <summary>What it is.</summary>
    public SpanKind Kind;

    /// <summary>Slabs: the size class.</summary>
    public byte SizeClass;

    /// <summary>Free spans: whether any page may hold old bytes. Runs: whether the pages may have held any when it was handed out.</summary>
    public bool Dirty;

    /// <summary>Slabs: whether it stands in the list of those with free objects.</summary>
    public bool Listed;
}

/// <summary>What a stretch of pages is used for.</summary>
internal enum SpanKind : byte
{
    /// <summary>Not a span.</summary>
    None = 0,

    /// <summary>Small objects of one class.</summary>
    Slab = 1,

    /// <summary>One object of whole pages.</summary>
    Run = 2,

    /// <summary>Charged and unused.</summary>
    Free = 3,

    /// <summary>Whole extents, unused, their charge given back.</summary>
    Released = 4,

    /// <summary>Unused, while its pages are being discarded or given back.</summary>
    Withheld = 5,
}

/// <summary>
/// The states of a small object. Free to Cached under the class's lock; Cached to Used by the thread that owns the cache;
/// Used to Cached by one atomic exchange, which is what detects a double free.
/// </summary>
internal static class ObjectState
{
    /// <summary>In its slab.</summary>
    public const byte Free = 0;

    /// <summary>The program has it.</summary>
    public const byte Used = 1;

    /// <summary>In a thread's cache.</summary>
    public const byte Cached = 2;

    /// <summary>In its slab, on a page that is just being discarded.</summary>
    public const byte Withheld = 3;
}
