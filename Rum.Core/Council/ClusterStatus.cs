namespace Rum.Core.Council;

/// <summary>What <c>rum status</c> shows.</summary>
/// <param name="ClusterId">The cluster.</param>
/// <param name="Generation">Raised by <c>rum recover</c>.</param>
/// <param name="Decree">The last decree applied.</param>
/// <param name="RingShards">Shards that the ring spreads.</param>
/// <param name="Served">Shards with a replica in sync, pinned ones included.</param>
/// <param name="Unassigned">Shards that no silo holds and that hold nothing.</param>
/// <param name="Lost">Shards whose pages are gone.</param>
/// <param name="Sessions">Open sessions.</param>
/// <param name="Segments">Segments.</param>
/// <param name="Members">Every silo, by id.</param>
public sealed record ClusterStatus(
    Guid ClusterId,
    uint Generation,
    ulong Decree,
    int RingShards,
    int Served,
    int Unassigned,
    int Lost,
    int Sessions,
    int Segments,
    IReadOnlyList<MemberStatus> Members)
{
    /// <summary>The council's seats and the candidates; the state machine, which knows no network, leaves it empty.</summary>
    public IReadOnlyList<SeatStatus> Council { get; init; } = [];

    /// <summary>Copies of segments that don't ask for a number.</summary>
    public int Copies { get; init; }

    /// <summary>Shards in which a silo is learning.</summary>
    public int Learning { get; init; }

    /// <summary>Shards in use that have fewer replicas in sync than their segments asked for.</summary>
    public int Incomplete { get; init; }

    /// <summary>The snapshot that is being made, or null.</summary>
    public SnapshotInfo? Snapshot { get; init; }

    /// <summary>The last one that is complete, or null.</summary>
    public SnapshotInfo? LastSnapshot { get; init; }
}

/// <summary>A seat as the leader sees it.</summary>
/// <param name="Seat">The seat.</param>
/// <param name="Leads">Whether it is the leader's own.</param>
/// <param name="SilentMs">Milliseconds since it answered.</param>
/// <param name="Decree">The last decree that it is known to have.</param>
public sealed record SeatStatus(CouncilSeat Seat, bool Leads, long SilentMs, ulong Decree);

/// <summary>A silo and its line in the ledger.</summary>
/// <param name="Member">The silo.</param>
/// <param name="Charged">Bytes charged, those still to be dropped included.</param>
/// <param name="ToDrop">Bytes of freed memory that the silo hasn't dropped yet.</param>
/// <param name="Shards">Shards that it serves.</param>
/// <param name="ShardsInUse">Those of them that hold extents.</param>
public sealed record MemberStatus(Member Member, long Charged, long ToDrop, int Shards, int ShardsInUse)
{
    /// <summary>Milliseconds since the leader last heard of it; the state machine, which knows no time, leaves it 0.</summary>
    public long SilentMs { get; init; }

    /// <summary>Shards that it is learning.</summary>
    public int Learning { get; init; }

    /// <summary>Shards in use of which it is the only replica in sync: they are lost with it.</summary>
    public int Alone { get; init; }
}

/// <summary>A segment in a list.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Key">Zero: anonymous.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Flags">How it was created.</param>
/// <param name="Copies">Replicas of each page.</param>
/// <param name="Owner">The session that owns an anonymous one.</param>
/// <param name="Writer">The session that has it open for writing, 0 for none.</param>
/// <param name="Readers">Sessions that have it open read-only.</param>
/// <param name="Charged">Bytes charged for it.</param>
public sealed record SegmentInfo(
    SegmentId Id, UInt128 Key, long Size, SegmentFlags Flags, byte Copies, SessionId Owner, SessionId Writer, int Readers, long Charged)
{
    /// <summary>The shard of extent 0: whoever holds it is the segment's home.</summary>
    public ShardId FirstShard { get; init; }
}

/// <summary>A segment, closely looked at.</summary>
/// <param name="Info">As in the list.</param>
/// <param name="Token">The last write token drawn for it.</param>
/// <param name="FirstShard">The shard of extent 0.</param>
/// <param name="Places">Where its extents are, by silo; silo 0 stands for lost ones.</param>
public sealed record SegmentDetails(SegmentInfo Info, ulong Token, ShardId FirstShard, IReadOnlyList<SegmentPlace> Places);

/// <summary>How many extents of a segment are on a silo, and the bytes charged for them there.</summary>
public readonly record struct SegmentPlace(SiloId Silo, long Extents, long Bytes);

/// <summary>A session in a list.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Tenant">Its tenant, empty for none.</param>
/// <param name="ClientName">What the client calls itself.</param>
/// <param name="LeaseMs">Its lease.</param>
/// <param name="Anonymous">Bytes of its anonymous segments.</param>
/// <param name="Segments">Segments that it owns or has open.</param>
public sealed record SessionInfo(SessionId Id, string Tenant, string ClientName, int LeaseMs, long Anonymous, int Segments);
