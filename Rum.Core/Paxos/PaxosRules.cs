namespace Rum.Core.Paxos;

/// <summary>The four judgements on which safety rests, by themselves, so that a test can put a wrong one in their place and see it caught.</summary>
public class PaxosRules
{
    /// <summary>Whether a ballot may be promised.</summary>
    public virtual bool MayPromise(Ballot promised, Ballot asked) => asked >= promised;

    /// <summary>Whether a value may be accepted in a ballot.</summary>
    public virtual bool MayAccept(Ballot promised, Ballot asked) => asked >= promised;

    /// <summary>Whether what was accepted for a decree is what was decided, given the ballot in which the leader saw it decided.</summary>
    public virtual bool Proves(Ballot acceptedIn, Ballot proof) => acceptedIn == proof;

    /// <summary>Whether a value that a promise reported must be proposed instead of one of the leader's own.</summary>
    public virtual bool MustAdopt(Ballot acceptedIn, Ballot best) => acceptedIn > best;

    /// <summary>How many of a council decide.</summary>
    public virtual int Quorum(int council) => (council / 2) + 1;

    /// <summary>Whether a seat's new life still knows what the seat has said.</summary>
    public virtual bool Remembers(Life life, Witness seen) => life.Promised >= seen.Promised && life.Decree >= seen.Decree;
}

/// <summary>Times and sizes of a member. Nanoseconds and bytes.</summary>
public sealed record PaxosOptions
{
    /// <summary>Between two beats of a leader.</summary>
    public long BeatNs { get; init; } = 100_000_000;

    /// <summary>Before an unanswered message is sent again.</summary>
    public long ResendNs { get; init; } = 50_000_000;

    /// <summary>Silence of the leader before somebody wants to replace it; the same again at most is added at random, doubled by each failure.</summary>
    public long ElectionNs { get; init; } = 500_000_000;

    /// <summary>A leader that a majority doesn't answer for so long ceases to be one.</summary>
    public long StepDownNs { get; init; } = 2_000_000_000;

    /// <summary>Decided values kept in memory for members that were away; one further behind gets the state.</summary>
    public int KeptMax { get; init; } = 512;

    /// <summary>The most bytes of values or state in one message.</summary>
    public int PieceBytes { get; init; } = 64 << 10;
}

/// <summary>What a member does.</summary>
public enum PaxosRole : byte
{
    /// <summary>Votes, and learns what is decided.</summary>
    Following = 0,

    /// <summary>Asks whether it would be followed.</summary>
    Canvassing = 1,

    /// <summary>Has opened a ballot and gathers promises.</summary>
    Preparing = 2,

    /// <summary>Proposes.</summary>
    Leading = 3,
}

/// <summary>What decrees are applied to. It names the council: decree n is decided by the council in force after n - 1.</summary>
public interface IReplicated
{
    /// <summary>The seats in force now; empty while nothing was learned.</summary>
    IReadOnlyList<ulong> Council { get; }

    /// <summary>Applies the next decree; an empty one says nothing. Must be the same everywhere.</summary>
    void Apply(ulong decree, byte[] value);

    /// <summary>The state after the last decree.</summary>
    byte[] Capture();

    /// <summary>Replaces the state.</summary>
    void Restore(ulong decree, byte[] state);
}

/// <summary>A message that a member wants sent.</summary>
/// <param name="To">The seat.</param>
/// <param name="Message">What it says.</param>
/// <param name="AfterSync">Whether the records written so far must be durable first.</param>
public readonly record struct Outgoing(ulong To, PaxosMessage Message, bool AfterSync);
