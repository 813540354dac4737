namespace Rum.Core.Paxos;

// What council members say to each other. Every message may be lost, repeated or overtaken.

/// <summary>A message between members.</summary>
public abstract record PaxosMessage;

/// <summary>
/// What a leader, or one who wants to become it, says about decided decrees besides its own business: everything up to <paramref name="Chosen"/> is
/// decided, and <paramref name="Chosen"/> itself was decided in ballot <paramref name="Proof"/> (none: unknown to the sender). A member that accepted it in exactly
/// that ballot holds the decided value. <paramref name="Durable"/> is the last decree that the sender's own disk holds.
/// </summary>
public abstract record LeaderMessage(Ballot Ballot, ulong Chosen, Ballot Proof, ulong Durable) : PaxosMessage;

/// <summary>Would you follow me? Asked before a ballot is opened, so that a member that hears badly doesn't unseat a leader that others hear well.</summary>
public sealed record Canvass(ulong Attempt, ulong Chosen) : PaxosMessage;

/// <summary>Answers <see cref="Canvass"/>. No: a leader was heard lately, or the asker lacks decrees.</summary>
public sealed record CanvassAnswer(ulong Attempt, bool Yes, ulong Chosen) : PaxosMessage;

/// <summary>Opens a ballot for decree <c>Chosen + 1</c> and all later ones.</summary>
public sealed record Prepare(Ballot Ballot, ulong Chosen, Ballot Proof, ulong Durable) : LeaderMessage(Ballot, Chosen, Proof, Durable);

/// <summary>Answers <see cref="Prepare"/>: no lower ballot is promised or accepted any more. What was accepted for the decree comes along.</summary>
public sealed record Promise(Ballot Ballot, ulong Decree, Ballot AcceptedIn, byte[]? Accepted) : PaxosMessage;

/// <summary>Asks to accept a value as decree <c>Chosen + 1</c>.</summary>
public sealed record Propose(Ballot Ballot, ulong Chosen, Ballot Proof, ulong Durable, ulong Sequence, byte[] Value) : LeaderMessage(Ballot, Chosen, Proof, Durable);

/// <summary>Answers <see cref="Propose"/>: durable here.</summary>
public sealed record Accepted(Ballot Ballot, ulong Decree, ulong Sequence) : PaxosMessage;

/// <summary>The leader lives; answered by <see cref="BeatAnswer"/>.</summary>
public sealed record Beat(Ballot Ballot, ulong Chosen, Ballot Proof, ulong Durable, ulong Sequence) : LeaderMessage(Ballot, Chosen, Proof, Durable);

/// <summary>Answers <see cref="Beat"/>: no newer ballot was promised when this was said.</summary>
public sealed record BeatAnswer(Ballot Ballot, ulong Sequence, ulong Chosen) : PaxosMessage;

/// <summary>A newer ballot was promised, or the sender lacks decrees that are decided here.</summary>
public sealed record Refuse(Ballot Ballot, Ballot Promised, ulong Chosen) : PaxosMessage;

/// <summary>
/// Asks for decrees behind one; <paramref name="Blank"/>: for everything. <paramref name="Offset"/> is not 0 while the state as of decree <paramref name="State"/> is being
/// fetched.
/// </summary>
public sealed record Fetch(ulong After, bool Blank, ulong State, long Offset) : PaxosMessage;

/// <summary>Decided decrees, from <paramref name="First"/> on.</summary>
public sealed record Learn(ulong First, IReadOnlyList<byte[]> Values) : PaxosMessage;

/// <summary>A piece of the state as of a decree, for a member that is too far behind for <see cref="Learn"/>.</summary>
public sealed record StatePiece(ulong Decree, long Total, long Offset, byte[] Bytes) : PaxosMessage;

/// <summary>The life that is spoken to has forgotten what its seat promised: it must not vote.</summary>
public sealed record Disown(Life Life) : PaxosMessage;

/// <summary>
/// A start of a member's process: how often this seat has started, a number drawn at this start, and what was found on the disk. Goes with every message. A disk that was put
/// back from a copy shows by a start that was seen already, or by less than the seat is known to have said.
/// </summary>
/// <param name="Start">Counted durably by the seat, from 1.</param>
/// <param name="Nonce">Drawn at random.</param>
/// <param name="Promised">The highest ballot found on the disk.</param>
/// <param name="Decree">The last decree accepted or decided found on the disk.</param>
public readonly record struct Life(ulong Start, ulong Nonce, Ballot Promised, ulong Decree);
