using Orleans.Serialization;

namespace Rum.Grains;

// What travels to the grains. The aliases and numbers are the wire contract (Contracts.txt): add members under new numbers, never change one.

/// <summary>Makes a session's command at most once, however often and wherever it is asked: (session, slot, counter) as in the council.</summary>
[GenerateSerializer, Immutable, Alias("rum.RequestMark")]
public readonly record struct RequestMark([property: Id(0)] ulong Session, [property: Id(1)] uint Slot, [property: Id(2)] uint Counter);

/// <summary>A call that says nothing more than who asks, and which segment the asker means.</summary>
[GenerateSerializer, Immutable, Alias("rum.SegmentCall")]
public sealed record SegmentCall([property: Id(0)] RequestMark Mark, [property: Id(1)] ulong Segment);

/// <summary>
/// Makes a segment. Copies 0: as the cluster is configured. Silo 0: spread by the ring; else the first of the silos that it stays on, with the others behind it.
/// </summary>
[GenerateSerializer, Immutable, Alias("rum.CreateSegment")]
public sealed record CreateSegment(
    [property: Id(0)] RequestMark Mark, [property: Id(1)] long Size, [property: Id(2)] byte Copies, [property: Id(3)] ushort Flags, [property: Id(4)] ushort Silo,
    [property: Id(5)] ushort[]? Others = null);

/// <summary>Opens a segment; the mode is Rum.Core.Council.OpenMode's number.</summary>
[GenerateSerializer, Immutable, Alias("rum.OpenSegment")]
public sealed record OpenSegment([property: Id(0)] RequestMark Mark, [property: Id(1)] byte Mode);

/// <summary>Changes a segment's size.</summary>
[GenerateSerializer, Immutable, Alias("rum.ResizeSegment")]
public sealed record ResizeSegment([property: Id(0)] RequestMark Mark, [property: Id(1)] ulong Segment, [property: Id(2)] long Size);

/// <summary>Gives extents back, or charges them again.</summary>
[GenerateSerializer, Immutable, Alias("rum.ChargeSegment")]
public sealed record ChargeSegment(
    [property: Id(0)] RequestMark Mark, [property: Id(1)] ulong Segment, [property: Id(2)] long FirstExtent, [property: Id(3)] int Count, [property: Id(4)] bool Charged);

/// <summary>Opens a session. Lease 0: the council's default.</summary>
[GenerateSerializer, Immutable, Alias("rum.OpenSessionCall")]
public sealed record OpenSessionCall(
    [property: Id(0)] UInt128 Nonce, [property: Id(1)] string Tenant, [property: Id(2)] string ClientName, [property: Id(3)] int LeaseMs);
