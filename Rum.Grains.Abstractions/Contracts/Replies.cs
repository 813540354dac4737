namespace Rum.Grains;

// What comes back. Each carries the council's decree, so that an answer that was overtaken can be told from a newer one.

/// <summary>How it went: the error's number (Rum.Core.RumError), words for a person, the decree, and the decree of the newest view.</summary>
[GenerateSerializer, Immutable, Alias("rum.GrainReply")]
public readonly record struct GrainReply([property: Id(0)] ushort Error, [property: Id(1)] string Message, [property: Id(2)] ulong Decree, [property: Id(3)] ulong ViewDecree);

/// <summary>A segment as it was opened; token 0: read-only.</summary>
[GenerateSerializer, Immutable, Alias("rum.SegmentReply")]
public sealed record SegmentReply(
    [property: Id(0)] GrainReply Reply,
    [property: Id(1)] ulong Segment,
    [property: Id(2)] UInt128 Key,
    [property: Id(3)] long Size,
    [property: Id(4)] ulong Token,
    [property: Id(5)] ushort FirstShard,
    [property: Id(6)] ushort Flags);

/// <summary>A session as it was opened.</summary>
[GenerateSerializer, Immutable, Alias("rum.SessionReply")]
public sealed record SessionReply([property: Id(0)] GrainReply Reply, [property: Id(1)] ulong Session, [property: Id(2)] int LeaseMs);

/// <summary>Renewal counters, 0 for a session that has ended.</summary>
[GenerateSerializer, Immutable, Alias("rum.RenewReply")]
public sealed record RenewReply([property: Id(0)] GrainReply Reply, [property: Id(1)] ulong[] Counters);

/// <summary>A segment's key.</summary>
[GenerateSerializer, Immutable, Alias("rum.KeyReply")]
public sealed record KeyReply([property: Id(0)] GrainReply Reply, [property: Id(1)] UInt128 Key);

/// <summary>A segment, its users and its home: the silo of its first extent, and the silo where its grain is.</summary>
[GenerateSerializer, Immutable, Alias("rum.SegmentDescription")]
public sealed record SegmentDescription(
    [property: Id(0)] GrainReply Reply,
    [property: Id(1)] ulong Segment,
    [property: Id(2)] long Size,
    [property: Id(3)] ushort Flags,
    [property: Id(4)] ulong Owner,
    [property: Id(5)] ulong Writer,
    [property: Id(6)] int Readers,
    [property: Id(7)] ulong Token,
    [property: Id(8)] ushort Home,
    [property: Id(9)] ushort Activation);

/// <summary>Where a segment's extents are; the lists stand side by side, silo 0 for lost ones.</summary>
[GenerateSerializer, Immutable, Alias("rum.SegmentStatistics")]
public sealed record SegmentStatistics(
    [property: Id(0)] GrainReply Reply, [property: Id(1)] long ChargedBytes, [property: Id(2)] ushort[] Silos, [property: Id(3)] long[] Extents, [property: Id(4)] long[] Bytes);

/// <summary>The numbers of segments.</summary>
[GenerateSerializer, Immutable, Alias("rum.OwnedSegments")]
public sealed record OwnedSegments([property: Id(0)] GrainReply Reply, [property: Id(1)] ulong[] Segments);

/// <summary>A silo: number, name, ip:port of its fast path, its HTTP address, bytes offered and charged, and whether it is in the cluster.</summary>
[GenerateSerializer, Immutable, Alias("rum.MemberLine")]
public readonly record struct MemberLine(
    [property: Id(0)] ushort Silo,
    [property: Id(1)] string Name,
    [property: Id(2)] string Endpoint,
    [property: Id(3)] string Http,
    [property: Id(4)] long Capacity,
    [property: Id(5)] long Charged,
    [property: Id(6)] bool Up);

/// <summary>The cluster's silos.</summary>
[GenerateSerializer, Immutable, Alias("rum.ClusterMembers")]
public sealed record ClusterMembers([property: Id(0)] GrainReply Reply, [property: Id(1)] MemberLine[] Members);

/// <summary>Bytes offered and charged, and how many sessions and segments there are.</summary>
[GenerateSerializer, Immutable, Alias("rum.ClusterCapacity")]
public sealed record ClusterCapacity(
    [property: Id(0)] GrainReply Reply, [property: Id(1)] long Capacity, [property: Id(2)] long Charged, [property: Id(3)] int Sessions, [property: Id(4)] int Segments);
