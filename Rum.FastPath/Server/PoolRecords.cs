using Rum.Core;

namespace Rum.FastPath.Server;

/// <summary>A segment at this replica. <see cref="Next"/> chains the bucket, or the free list.</summary>
internal struct SegmentRecord
{
    public ulong Id;
    public ulong Fence;
    public ulong NewestToken;
    public ulong NewestSequence;
    public ulong ConfirmedToken;
    public ulong ConfirmedSequence;
    public int Next;
    public int FirstExtent;
    public SegmentState State;
    public bool Sparse;

    /// <summary>The newest version ever applied here: the floor of what is dropped.</summary>
    public readonly PageVersion Newest => new(NewestToken, NewestSequence);

    /// <summary>What isn't above it is on all replicas, or was replaced on all.</summary>
    public readonly PageVersion Confirmed => new(ConfirmedToken, ConfirmedSequence);
}

/// <summary>Live, or freed: a freed segment is remembered for a while, so that a late Fence doesn't bring it back.</summary>
internal enum SegmentState : byte
{
    Unused,
    Live,
    Gone,
}

/// <summary>
/// An extent at this replica: its table once something was written, and the floor below which writes are refused because the extent
/// was dropped after them.
/// </summary>
internal unsafe struct ExtentRecord
{
    public PageEntry* Table;
    public ulong Segment;
    public ulong FloorToken;
    public ulong FloorSequence;
    public ulong NewestToken;
    public ulong NewestSequence;
    public uint Extent;
    public int Stored;
    public int Next;
    public int NextOfSegment;
    public int PreviousOfSegment;
    public ushort Shard;

    /// <summary>A restore had no whole copy of it: accesses are answered Lost.</summary>
    public bool Lost;

    /// <summary>The cut that was the latest when the record was made: it isn't in that one.</summary>
    public uint BornCut;

    /// <summary>The latest cut of which nothing of this extent needs to be kept.</summary>
    public uint SavedCut;

    /// <summary>1 more than the index of the table that is kept for the cut, 0 for none.</summary>
    public int Frozen;

    public readonly PageVersion Floor => new(FloorToken, FloorSequence);

    /// <summary>The newest version stored in it.</summary>
    public readonly PageVersion Newest => new(NewestToken, NewestSequence);
}
