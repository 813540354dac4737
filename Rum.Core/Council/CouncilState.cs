namespace Rum.Core.Council;

// The council's state, as CouncilMachine keeps it. Only the machine and its snapshot touch these.

/// <summary>A silo, its former lives and its line in the ledger.</summary>
internal sealed class SiloRecord(Member member)
{
    /// <summary>So many former incarnations are remembered, to refuse their late joins.</summary>
    public const int PastLivesMax = 16;

    public Member Member = member;

    /// <summary>The disk for the council's log that it offers, 0 for none. A silo that is gone keeps its number: the disk may come back.</summary>
    public ulong Seat;

    public List<Incarnation> PastLives = [];

    /// <summary>Invariant: the bytes of all held extents in shards that it serves, plus <see cref="ToDrop"/>; at most its capacity.</summary>
    public long Charged;

    /// <summary>Invariant: the sum over <see cref="Drops"/>.</summary>
    public long ToDrop;

    /// <summary>In the order of their sequences.</summary>
    public List<Drop> Drops = [];

    /// <summary>A member, whatever it may be given.</summary>
    public bool Up => Member.State != MemberState.Left;

    /// <summary>Whether shards may be given to it.</summary>
    public bool Takes => Member.State == MemberState.Up;

    public long Free => Up ? Member.Capacity - Charged : 0;
}

/// <summary>A shard. Copied into the view when it changes.</summary>
internal struct ShardRecord
{
    public uint Epoch;

    public ShardState State;

    /// <summary>
    /// Never edited in place, for views share it: those in sync first, one Learning at most behind them. Of a Lost shard those that it was lost with.
    /// </summary>
    public Replica[] Replicas;

    /// <summary>The silos that a pinned shard was made for, empty for the ring's.</summary>
    public SiloSet PinnedTo;

    /// <summary>Extents of segments that may hold pages in it. An empty shard moves at once, another only by learning.</summary>
    public long Held;

    /// <summary>Bytes charged for those extents at each replica.</summary>
    public long Bytes;

    /// <summary>An empty shard.</summary>
    public static ShardRecord Empty => new() { Replicas = [] };
}

/// <summary>So many shards as the ring has, with one rule for all; a shard's block is its number divided by the ring's shards.</summary>
/// <param name="Copies">Replicas of each shard; 0: made for named silos, one by one.</param>
/// <param name="Racks">Replicas on silos with different labels.</param>
internal readonly record struct ShardBlock(byte Copies, bool Racks)
{
    public bool Pinned => Copies == 0;
}

/// <summary>A segment.</summary>
internal sealed class SegmentRecord
{
    public required SegmentId Id;
    public required UInt128 Key;
    public required byte Copies;
    public required SegmentFlags Flags;

    /// <summary>The owner of an anonymous segment, 0 for named ones.</summary>
    public required SessionId Owner;

    public ShardId FirstShard;

    public long Size;

    /// <summary>The last token drawn; it is the writer's while there is one.</summary>
    public ulong Token;

    public SessionId Writer;

    public SortedSet<ulong> Readers = [];

    /// <summary>Extents that may hold pages (and are charged, unless sparse): all below the size but those given back.</summary>
    public ExtentRuns Held = new();

    public bool Sparse => (Flags & SegmentFlags.Sparse) != 0;

    public bool IsAnonymous => Key == UInt128.Zero;

    public long ChargeOf(long extent, long size) => Sparse ? 0 : SegmentLayout.ChargeOf(extent, size);
}

/// <summary>A session.</summary>
internal sealed class SessionRecord
{
    public required SessionId Id;
    public required UInt128 Nonce;
    public required string Tenant;
    public required string ClientName;
    public required int LeaseMs;

    /// <summary>Segments that it owns or has open.</summary>
    public SortedSet<ulong> Segments = [];

    /// <summary>The last request of each slot and its result.</summary>
    public SortedDictionary<uint, (uint Counter, Result Result)> Slots = [];
}

/// <summary>A snapshot.</summary>
internal sealed class SnapshotRecord
{
    public required SnapshotInfo Info;

    public List<SnapshotSegment> Segments = [];

    /// <summary>Shards that hold extents of them, and the silos that save each; none: it was lost.</summary>
    public SortedDictionary<ushort, SiloSet> Shards = [];

    public bool UnderWay => Info.State is SnapshotState.Cutting or SnapshotState.Saving;
}
