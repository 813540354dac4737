namespace Rum.Core.Council;

// The commands that clients and silos send to the council, and the answers. All are conditional and idempotent.
// A session's command runs at most once by (session, slot, counter); the silos' own commands are idempotent by their arguments.

/// <summary>A command for the council's state machine.</summary>
public abstract record Command
{
    /// <summary>The session that a command speaks for, 0 for those of silos and operators. Such a command must carry a <see cref="RequestId"/>.</summary>
    public virtual SessionId Speaker => default;
}

/// <summary>
/// A silo process introduces its present life; <c>Silo.Id</c> is ignored, the name decides who it is. The same incarnation again changes nothing;
/// a new one means that the former life and all its pages are gone; a life that was replaced is refused with StaleView.
/// </summary>
public sealed record Join(Member Silo) : Command;

/// <summary>A silo stops on purpose. Only if that incarnation is still its life.</summary>
public sealed record Leave(SiloId Silo, Incarnation Incarnation) : Command;

/// <summary>A silo has dropped what it held of freed segments (or released extents): their room is free again.</summary>
public sealed record Dropped(SiloId Silo, Incarnation Incarnation, ulong UpTo) : Command;

/// <summary>
/// The failure detector (or an operator) takes a life of a silo for dead: it is no replica any more of shards that another replica holds in
/// sync, and gets no new ones. Shards that nobody else holds stay with it: they are out of reach, not yet lost. Only if that incarnation is its life.
/// </summary>
public sealed record Suspect(SiloId Silo, Incarnation Incarnation) : Command;

/// <summary>A silo that was suspected is heard again: it gets shards again, from the start.</summary>
public sealed record Resume(SiloId Silo, Incarnation Incarnation) : Command;

/// <summary>An operator empties a silo (or, <paramref name="On"/> false, thinks better of it). When it holds no shard any more it has left.</summary>
public sealed record Drain(SiloId Silo, bool On) : Command;

/// <summary>A learner has copied everything that the shard's lead held at this epoch, and may be read from now on.</summary>
public sealed record CaughtUp(SiloId Silo, Incarnation Incarnation, ShardId Shard, uint Epoch) : Command;

/// <summary>The copies of segments that don't ask for a number: 1 to 5.</summary>
public sealed record Configure(byte Copies) : Command;

/// <summary>A client process opens a session; idempotent by the nonce that it drew.</summary>
public sealed record OpenSession(UInt128 Nonce, string Tenant, string ClientName, int LeaseMs) : Command;

/// <summary>A client ends its session: its anonymous memory is freed, its tokens released.</summary>
public sealed record CloseSession(SessionId Session) : Command;

/// <summary>The lease ended, as the lease table saw it at this renewal counter. Proposed by the council's own clock only.</summary>
public sealed record Expire(SessionId Session, ulong RenewalCounter) : Command;

/// <summary>
/// Creates a segment. <paramref name="Key"/> zero: anonymous, owned by the session. <paramref name="Copies"/> 0: as the cluster is configured.
/// <paramref name="Silos"/> empty: spread by the ring; else one copy on each of them.
/// </summary>
public sealed record Allocate(SessionId Session, UInt128 Key, long Size, byte Copies, SegmentFlags Flags, SiloSet Silos) : Command
{
    /// <inheritdoc/>
    public override SessionId Speaker => Session;
}

/// <summary>Opens a named segment.</summary>
public sealed record Open(SessionId Session, UInt128 Key, OpenMode Mode) : Command
{
    /// <inheritdoc/>
    public override SessionId Speaker => Session;
}

/// <summary>Gives back a named segment's write token, or a reader's place.</summary>
public sealed record Close(SessionId Session, SegmentId Segment) : Command
{
    /// <inheritdoc/>
    public override SessionId Speaker => Session;
}

/// <summary>Changes a segment's size; growth is charged, what is cut off is dropped.</summary>
public sealed record Resize(SessionId Session, SegmentId Segment, long Size) : Command
{
    /// <inheritdoc/>
    public override SessionId Speaker => Session;
}

/// <summary>Gives whole extents of an anonymous segment back to the silos, or charges them again.</summary>
public sealed record ChargeExtents(SessionId Session, SegmentId Segment, long FirstExtent, int Count, bool Charged) : Command
{
    /// <inheritdoc/>
    public override SessionId Speaker => Session;
}

/// <summary>
/// Frees a segment by id (anonymous: its owner only) or, id 0, by key: anyone, session 0 (an operator) included, when no one else has it open
/// for writing. Readers that have it open find its pages gone.
/// </summary>
public sealed record Free(SessionId Session, SegmentId Segment, UInt128 Key) : Command
{
    /// <inheritdoc/>
    public override SessionId Speaker => Session;
}

/// <summary>How a named segment is opened.</summary>
public enum OpenMode : byte
{
    /// <summary>Read-only.</summary>
    Read = 0,

    /// <summary>For writing; SegmentBusy when another session writes.</summary>
    Write = 1,

    /// <summary>For writing if nobody does, else read-only.</summary>
    WriteElseRead = 2,
}

/// <summary>The council's answer to a command.</summary>
/// <param name="Error">None when it was done.</param>
/// <param name="Message">What a person should read, empty when it was done.</param>
/// <param name="Decree">The decree in which it was decided.</param>
public record Result(RumError Error, string Message, ulong Decree);

/// <summary>Answers <see cref="OpenSession"/>.</summary>
public sealed record SessionResult(RumError Error, string Message, ulong Decree, SessionId Session, int LeaseMs) : Result(Error, Message, Decree);

/// <summary>Answers <see cref="Join"/>.</summary>
public sealed record JoinResult(RumError Error, string Message, ulong Decree, SiloId Silo) : Result(Error, Message, Decree);

/// <summary>Answers <see cref="Allocate"/>, <see cref="Open"/> and <see cref="Resize"/>.</summary>
/// <param name="Token">The write token, 0 when opened read-only.</param>
public sealed record SegmentResult(
    RumError Error, string Message, ulong Decree, SegmentId Segment, UInt128 Key, long Size, ulong Token, ShardId FirstShard, SegmentFlags Flags)
    : Result(Error, Message, Decree);
