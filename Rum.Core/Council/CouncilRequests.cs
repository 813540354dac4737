namespace Rum.Core.Council;

// What travels in Control frames: the requests. Encoded by CouncilCodec; CouncilMachine.Apply and CouncilMachine.Query answer them.

/// <summary>A request to the council.</summary>
public abstract record CouncilRequest;

/// <summary>A command to be decided; all other requests only read. <see cref="Expire"/> is the council's own and doesn't travel.</summary>
public sealed record CommandRequest(RequestId Id, Command Command) : CouncilRequest
{
    /// <summary>
    /// Whether a grain has carried it already: the silo that receives it decides it, or says who does, and carries it no further. Only on the Orleans plane.
    /// </summary>
    public bool Carried { get; init; }
}

/// <summary>
/// Asks for the view if it is newer than the one known. Answered by <see cref="ViewAnswer"/>, or SessionExpired where <paramref name="Session"/> (0: whoever has none) has
/// ended: by a view from after its end a client would reach silos that never heard that its memory was freed, and read zeros there.
/// </summary>
public sealed record GetView(ulong IfNewerThan, SessionId Session = default) : CouncilRequest;

/// <summary>A silo asks what it has to drop, behind the sequence that it has dropped. Answered by <see cref="DropsAnswer"/>.</summary>
public sealed record GetDrops(SiloId Silo, Incarnation Incarnation, ulong After) : CouncilRequest;

/// <summary>
/// A silo asks which of the segments that it has something of were freed: a client that doesn't know yet that its session is over may have written to one
/// in a life of the silo that was never told to drop it. Answered by <see cref="DropsAnswer"/>, whose drops have the sequence 0: nothing to confirm.
/// </summary>
public sealed record Audit(IReadOnlyList<SegmentId> Segments) : CouncilRequest;

/// <summary>
/// A silo asks which of the extents that it has pages of lie behind the end of their segments, or were given back: what was cut off is dropped once, and a
/// client that doesn't know yet that its session is over may write to it later. Answered by <see cref="DropsAnswer"/>, whose drops have the sequence 0 and
/// mean what the silo had when it asked: an extent may be in use again since.
/// </summary>
public sealed record AuditExtents(IReadOnlyList<ExtentId> Extents) : CouncilRequest;

/// <summary>An extent of a segment.</summary>
public readonly record struct ExtentId(SegmentId Segment, uint Extent);

/// <summary>A client renews its lease. Answered by a plain <see cref="CouncilAnswer"/>: None or SessionExpired.</summary>
public sealed record Heartbeat(SessionId Session) : CouncilRequest;

/// <summary>
/// A silo renews the leases of sessions that it heard of, at most <see cref="LeaseMark.BatchMax"/>. Answered by <see cref="LeasesAnswer"/>: each one's
/// renewal counter, 0 for sessions that have ended.
/// </summary>
public sealed record RenewLeases(IReadOnlyList<SessionId> Sessions) : CouncilRequest;

/// <summary>
/// Proposes the expiry of those sessions that were not renewed since the counter was seen and whose lease is over, at most
/// <see cref="LeaseMark.BatchMax"/>. The council's own clock judges, so who has heard nothing for its own reasons ends nobody. Answered as <see cref="RenewLeases"/>.
/// </summary>
public sealed record JudgeLeases(IReadOnlyList<LeaseMark> Marks) : CouncilRequest;

/// <summary>A lease as somebody saw it.</summary>
public readonly record struct LeaseMark(SessionId Session, ulong Counter)
{
    /// <summary>So many fit into one request.</summary>
    public const int BatchMax = 200;
}

/// <summary>A silo says that it lives and which view it serves. Answered by <see cref="SiloHeartbeatAnswer"/>; StaleView: that life was replaced.</summary>
public sealed record SiloHeartbeat(SiloId Silo, Incarnation Incarnation, ulong ViewDecree) : CouncilRequest;

/// <summary>
/// Somebody with another way of looking doubts a life of a silo: the leader listens to it more closely (<see cref="Sessions.SilenceTable.Probe"/>). A hint: it removes nobody by
/// itself. Answered by a plain <see cref="CouncilAnswer"/>: None, or StaleView when that life is not in the cluster.
/// </summary>
public sealed record DoubtSilo(SiloId Silo, Incarnation Incarnation) : CouncilRequest;

/// <summary>The cluster's status as data. Answered by <see cref="StatusAnswer"/>.</summary>
public sealed record Describe : CouncilRequest;

/// <summary>Segments in the order of their ids, behind one of them. Answered by <see cref="SegmentsAnswer"/>.</summary>
public sealed record ListSegments(SegmentId After, int Max) : CouncilRequest;

/// <summary>One segment, by key or, key zero, by id. Answered by <see cref="SegmentAnswer"/>.</summary>
public sealed record ShowSegment(UInt128 Key, SegmentId Segment) : CouncilRequest;

/// <summary>Sessions in the order of their ids, behind one of them. Answered by <see cref="SessionsAnswer"/>.</summary>
public sealed record ListSessions(SessionId After, int Max) : CouncilRequest;
