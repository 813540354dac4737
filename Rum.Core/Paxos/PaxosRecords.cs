namespace Rum.Core.Paxos;

// What a member must find again after a crash. A message that says so leaves only when the record is durable.

/// <summary>A durable write, in order with the others.</summary>
public abstract record PaxosRecord;

/// <summary>No ballot below this one is promised or accepted.</summary>
public sealed record PromiseRecord(Ballot Ballot) : PaxosRecord;

/// <summary>
/// A value accepted for a decree; ballot none: learned as decided. The last record of a decree counts, and is decided if another decree follows.
/// </summary>
public sealed record AcceptRecord(ulong Decree, Ballot Ballot, byte[] Value) : PaxosRecord;

/// <summary>What another seat is known to have said.</summary>
public sealed record WitnessRecord(ulong Seat, Witness Witness) : PaxosRecord;

/// <summary>The state as of a decree replaces every decree up to it.</summary>
public sealed record InstallRecord(ulong Decree, byte[] State) : PaxosRecord;

/// <summary>The highest that was heard of a seat: its last start with its number, the ballot it promised, the decree it accepted.</summary>
public readonly record struct Witness(ulong Start, ulong Nonce, Ballot Promised, ulong Decree);

/// <summary>What a disk holds when a member starts.</summary>
/// <param name="Decree">Of the checkpoint.</param>
/// <param name="State">The checkpoint; null: a seat that has learned nothing yet.</param>
/// <param name="Records">Behind it, in the order written.</param>
public sealed record PaxosDisk(ulong Decree, byte[]? State, IReadOnlyList<PaxosRecord> Records);
