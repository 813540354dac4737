namespace Rum.Core.Council;

// The commands about the council itself.

/// <summary>A silo has a disk for the council's log, of this seat. Only if that incarnation is its life. It makes the silo a candidate, not a member.</summary>
public sealed record OfferSeat(SiloId Silo, Incarnation Incarnation, ulong Seat) : Command;

/// <summary>
/// The council from the next decree on. Only if it has not changed since decree <paramref name="Since"/>, and every new seat is offered by a silo. Proposed by the leader, who
/// knows which candidates follow closely.
/// </summary>
public sealed record ChangeCouncil(ulong Since, IReadOnlyList<ulong> Seats) : Command;

/// <summary>How many silos the council shall have at most: 1, 3 or 5.</summary>
public sealed record LimitCouncil(int Seats) : Command;

/// <summary>A seat of the council, or one that could become it.</summary>
/// <param name="Seat">Its number, drawn with its disk.</param>
/// <param name="Silo">Whose disk it is; 0: a silo that has not joined yet.</param>
/// <param name="Endpoint">Where that silo is; empty: not known.</param>
/// <param name="Seated">Whether it belongs to the council in force.</param>
public sealed record CouncilSeat(ulong Seat, SiloId Silo, string Endpoint, bool Seated);
