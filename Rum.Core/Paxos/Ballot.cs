namespace Rum.Core.Paxos;

/// <summary>A ballot: whose attempt to lead, and which. Ordered by round, then seat, so two seats never share one. (0, 0) is none.</summary>
public readonly record struct Ballot(ulong Round, ulong Seat) : IComparable<Ballot>
{
    /// <inheritdoc/>
    public int CompareTo(Ballot other)
    {
        int byRound = Round.CompareTo(other.Round);
        return byRound != 0 ? byRound : Seat.CompareTo(other.Seat);
    }

    /// <summary>Whether left is older than right.</summary>
    public static bool operator <(Ballot left, Ballot right) => left.CompareTo(right) < 0;

    /// <summary>Whether left is newer than right.</summary>
    public static bool operator >(Ballot left, Ballot right) => left.CompareTo(right) > 0;

    /// <summary>Whether left is not newer than right.</summary>
    public static bool operator <=(Ballot left, Ballot right) => left.CompareTo(right) <= 0;

    /// <summary>Whether left is not older than right.</summary>
    public static bool operator >=(Ballot left, Ballot right) => left.CompareTo(right) >= 0;

    /// <summary>The greater of two.</summary>
    public static Ballot Max(Ballot left, Ballot right) => left >= right ? left : right;

    /// <inheritdoc/>
    public override string ToString() => $"{Round}.{Seat:x4}";
}
