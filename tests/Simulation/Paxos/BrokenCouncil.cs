using Rum.Core.Paxos;

namespace Rum.Simulation.Paxos;

/// <summary>A council that is wrong on purpose, to see that the checkers notice.</summary>
internal sealed record BrokenCouncil
{
    public PaxosRules? Rules { get; init; }

    /// <summary>What a restart does to the disk.</summary>
    public Action<SimulatedDisk>? AtRestart { get; init; }

    /// <summary>Messages leave before what they say is durable.</summary>
    public bool SendsBeforeSync { get; init; }

    /// <summary>A member that lost its disk comes back under its old seat.</summary>
    public bool WipedVotes { get; init; }

    /// <summary>A leader answers reads without asking whether it still is one.</summary>
    public bool ReadsUnconfirmed { get; init; }

    /// <summary>What is wrong about leases.</summary>
    public BrokenLeases Leases { get; init; }

    public sealed class AcceptsLower : PaxosRules
    {
        public override bool MayAccept(Ballot promised, Ballot asked) => true;
    }

    public sealed class ProposesItsOwn : PaxosRules
    {
        public override bool MustAdopt(Ballot acceptedIn, Ballot best) => false;
    }

    public sealed class AdoptsTheOldest : PaxosRules
    {
        public override bool MustAdopt(Ballot acceptedIn, Ballot best) => best.Round == 0 || acceptedIn < best;
    }

    public sealed class BelievesAnyProof : PaxosRules
    {
        public override bool Proves(Ballot acceptedIn, Ballot proof) => true;
    }

    public sealed class HalfIsEnough : PaxosRules
    {
        public override int Quorum(int council) => Math.Max(1, council / 2);
    }

    public sealed class BelievesEveryDisk : PaxosRules
    {
        public override bool Remembers(Life life, Witness seen) => true;
    }
}
