namespace Rum.Core;

/// <summary>
/// All that the pager keeps per page, in 64 bits, so that a table of them costs only what was touched (zero is a page never seen).
/// Immutable; each method is one allowed transition, checks its predecessor also in Release, and returns the successor.
/// </summary>
/// <remarks><code>
///  63                                   32 31      16 15       8 7 6  5   4   3   2  1  0
/// +---------------------------------------+----------+----------+---+---+---+---+---+----+
/// |                 index                 |     0    |   pins   | 0 | P | W | D | R | S |st|
/// +---------------------------------------+----------+----------+---+---+---+---+---+----+
/// st   state (PageState)
/// S    seen: R means something (else the region's default counts)
/// R    remote: a silo may hold something for this page; without it the page reads as zeros and needs no round trip
/// D    dirty for sure, whatever its hash says (it was rescued from a write-back that is not acknowledged yet)
/// W    a write of an older image is outstanding; no second one may start
/// P    fetched ahead of any fault
/// pins how many pins hold it; a pinned page is never evicted
/// index Loading: the fetch; Present: the entry in the list of residents; Evicting: the write-back
/// </code></remarks>
public readonly record struct PageWord(ulong Bits)
{
    private const int SeenShift = 2;
    private const int PinShift = 8;
    private const int IndexShift = 32;
    private const ulong StateMask = 3;
    private const ulong SeenBit = 1UL << SeenShift;
    private const ulong RemoteBit = SeenBit << 1;
    private const ulong DirtyBit = RemoteBit << 1;
    private const ulong WritingBit = DirtyBit << 1;
    private const ulong PrefetchedBit = WritingBit << 1;
    private const ulong PinMask = (ulong)MaxPins << PinShift;
    private const ulong Lasting = SeenBit | RemoteBit | PinMask;

    /// <summary>Pins that one page can carry.</summary>
    public const int MaxPins = 255;

    /// <summary>Where the page is.</summary>
    public PageState State => (PageState)(Bits & StateMask);

    /// <summary>Whether <see cref="Remote"/> is known for this page.</summary>
    public bool Seen => (Bits & SeenBit) != 0;

    /// <summary>Whether a silo may hold something for the page.</summary>
    public bool Remote => (Bits & RemoteBit) != 0;

    /// <summary>Whether the page is dirty whatever its hash says.</summary>
    public bool Dirty => (Bits & DirtyBit) != 0;

    /// <summary>Whether a write of an older image is outstanding.</summary>
    public bool Writing => (Bits & WritingBit) != 0;

    /// <summary>Whether the page was fetched ahead of its fault.</summary>
    public bool Prefetched => (Bits & PrefetchedBit) != 0;

    /// <summary>Pins that hold the page.</summary>
    public int Pins => (int)((Bits & PinMask) >> PinShift);

    /// <summary>The index that goes with the state.</summary>
    public int Index => (int)(Bits >> IndexShift);

    /// <summary>Absent -> Loading, as part of fetch <paramref name="fetch"/>.</summary>
    public PageWord StartLoad(int fetch, bool prefetched)
    {
        Invariant.Check(State == PageState.Absent);
        return Make(PageState.Loading, Bits & Lasting | (prefetched ? PrefetchedBit : 0), fetch);
    }

    /// <summary>Loading -> Absent: the fetch was given up, or what it brought is no longer wanted.</summary>
    public PageWord AbandonLoad()
    {
        Invariant.Check(State == PageState.Loading);
        return Make(PageState.Absent, Bits & Lasting, 0);
    }

    /// <summary>Loading -> Present, as resident <paramref name="entry"/>. <paramref name="remote"/>: the silo holds it.</summary>
    public PageWord LoadDone(int entry, bool remote)
    {
        Invariant.Check(State == PageState.Loading);
        return Make(PageState.Present, Known(Bits & (Lasting | PrefetchedBit), remote), entry);
    }

    /// <summary>Absent -> Present with zeros that nobody has to be asked for.</summary>
    public PageWord ZeroFill(int entry)
    {
        Invariant.Check(State == PageState.Absent);
        return Make(PageState.Present, Known(Bits & Lasting, false), entry);
    }

    /// <summary>Present -> Evicting: it left the program and is dirty. Never a pinned page, never with a write outstanding.</summary>
    public PageWord StartEvict(int write)
    {
        Invariant.Check(State == PageState.Present && Pins == 0 && !Writing);
        return Make(PageState.Evicting, Bits & Lasting, write);
    }

    /// <summary>Evicting -> Absent: the write was acknowledged.</summary>
    public PageWord EvictDone(bool remote)
    {
        Invariant.Check(State == PageState.Evicting);
        return Make(PageState.Absent, Known(Bits & Lasting, remote), 0);
    }

    /// <summary>Evicting -> Present with a copy of the slot, whose write goes on: the page counts as dirty.</summary>
    public PageWord Rescue(int entry)
    {
        Invariant.Check(State == PageState.Evicting);
        return Make(PageState.Present, Bits & Lasting | DirtyBit | WritingBit, entry);
    }

    /// <summary>Evicting -> Present with the slot itself: its write was acknowledged while a fault waited.</summary>
    public PageWord Return(int entry, bool remote)
    {
        Invariant.Check(State == PageState.Evicting);
        return Make(PageState.Present, Known(Bits & Lasting, remote), entry);
    }

    /// <summary>Present -> Absent: the silo has just this content. Never a pinned page, never with a write outstanding.</summary>
    public PageWord DropClean()
    {
        Invariant.Check(State == PageState.Present && Pins == 0 && !Writing && !Dirty);
        return Make(PageState.Absent, Bits & Lasting, 0);
    }

    /// <summary>Present or Absent -> Absent, and reads as zeros from now on.</summary>
    public PageWord Discard()
    {
        Invariant.Check(State is PageState.Present or PageState.Absent && !Writing && Pins == 0);
        return Make(PageState.Absent, Known(0, false), 0);
    }

    /// <summary>Present: a copy of the page is on its way to the silo.</summary>
    public PageWord StartWrite()
    {
        Invariant.Check(State == PageState.Present && !Writing);
        return new(Bits | WritingBit);
    }

    /// <summary>Present: the outstanding write was acknowledged.</summary>
    public PageWord WriteDone(bool remote)
    {
        Invariant.Check(State == PageState.Present && Writing);
        return new(Known(Bits & ~(WritingBit | DirtyBit), remote));
    }

    /// <summary>Present: the outstanding write can't be done; the page is what it was, dirty.</summary>
    public PageWord WriteFailed()
    {
        Invariant.Check(State == PageState.Present && Writing);
        return new(Bits & ~WritingBit | DirtyBit);
    }

    /// <summary>One pin more; in any state (the pin then waits for the page).</summary>
    public PageWord Pin()
    {
        Invariant.Check(Pins < MaxPins);
        return new(Bits + (1UL << PinShift));
    }

    /// <summary>One pin less.</summary>
    public PageWord Unpin()
    {
        Invariant.Check(Pins > 0);
        return new(Bits - (1UL << PinShift));
    }

    private static PageWord Make(PageState state, ulong flags, int index) => new(flags & ~StateMask | (ulong)state | (ulong)(uint)index << IndexShift);

    private static ulong Known(ulong flags, bool remote) => flags & ~RemoteBit | SeenBit | (remote ? RemoteBit : 0);
}
