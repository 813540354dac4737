using Rum.Core.Paxos;
using Rum.Simulation.Pages;

namespace Rum.Simulation.Paxos;

public sealed class PaxosSimulationTests
{
    private static readonly int Seeds = int.TryParse(Environment.GetEnvironmentVariable("RUM_SIM_SEEDS"), out int seeds) ? seeds : 200;

    private const long FaultyNs = 4_000_000_000;

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(5)]
    public void Every_decree_has_one_value_and_every_request_is_carried_out_once(int council)
    {
        int answers = 0, faults = 0;
        foreach (PaxosWorld world in Runs(council, leases: false))
        {
            answers += world.Chronicle.Answers;
            faults += world.Faults;
        }
        Assert.True(answers > 50 * Seeds, $"only {answers} requests in {Seeds} runs with {faults} faults");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(5)]
    public void No_session_ends_within_a_lease_of_a_heartbeat_that_was_answered(int council)
    {
        int expiries = 0, heartbeats = 0;
        foreach (PaxosWorld world in Runs(council, leases: true))
        {
            expiries += world.Chronicle.Expiries;
            heartbeats += world.Chronicle.Heartbeats;
        }
        Assert.True(expiries > Seeds && heartbeats > 50 * Seeds, $"only {heartbeats} heartbeats and {expiries} expiries in {Seeds} runs");
    }

    [Fact]
    public void A_seed_replays()
    {
        var first = new PaxosWorld(11, 3);
        var second = new PaxosWorld(11, 3);
        first.Run(FaultyNs);
        second.Run(FaultyNs);
        Assert.Equal((first.NowNs, first.Chronicle.LastDecided, first.Chronicle.Answers), (second.NowNs, second.Chronicle.LastDecided, second.Chronicle.Answers));
    }

    [Fact]
    public void An_acceptor_that_accepts_a_lower_ballot_is_caught() => Caught(new BrokenCouncil { Rules = new BrokenCouncil.AcceptsLower() });

    [Fact]
    public void A_leader_that_proposes_its_own_value_over_an_accepted_one_is_caught() => Caught(new BrokenCouncil { Rules = new BrokenCouncil.ProposesItsOwn() });

    [Fact]
    public void A_leader_that_adopts_the_oldest_value_is_caught() => Caught(new BrokenCouncil { Rules = new BrokenCouncil.AdoptsTheOldest() });

    [Fact]
    public void A_member_that_takes_what_it_accepted_for_decided_is_caught() => Caught(new BrokenCouncil { Rules = new BrokenCouncil.BelievesAnyProof() });

    [Fact]
    public void A_quorum_of_half_is_caught() => Caught(new BrokenCouncil { Rules = new BrokenCouncil.HalfIsEnough() });

    /// <summary>The window is a few messages wide, too narrow for chance: the schedule is laid by hand. Two ballots get the vote that decides them.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_promise_must_survive_a_restart(bool forgets)
    {
        var disk = new SimulatedDisk(Ledger.Newborn([1, 2, 3]));
        Life first = new(1, 10, default, 0), second = new(1, 20, default, 0);
        PaxosMember Start() => new(3, ++disk.Starts, disk.Starts, disk.Read(), new Ledger(new Chronicle(), [1, 2, 3]), 0, _ => 0);
        List<PaxosMessage> Flush(PaxosMember member)
        {
            foreach (PaxosRecord record in member.Writes) disk.Append(record);
            member.Writes.Clear();
            List<PaxosMessage> said = [.. member.Outbox.Select(o => o.Message)];
            member.Outbox.Clear();
            return said;
        }

        PaxosMember member = Start();
        Ballot lower = new(1, 1), higher = new(2, 2);
        member.Receive(2, second, new Prepare(higher, 0, default, 0), 1);
        Assert.IsType<Promise>(Assert.Single(Flush(member)));
        if (forgets) disk.Forget(r => r is PromiseRecord);
        member = Start();
        member.Receive(1, first, new Propose(lower, 0, default, 0, 1, [1]), 2);
        bool one = Flush(member).Exists(m => m is Accepted);
        member.Receive(2, second, new Propose(higher, 0, default, 0, 1, [2]), 3);
        bool other = Flush(member).Exists(m => m is Accepted);
        Assert.True(other);
        Assert.Equal(forgets, one);
    }

    [Fact]
    public void A_member_that_forgets_what_it_accepted_at_a_restart_is_caught() =>
        Caught(new BrokenCouncil { AtRestart = disk => disk.ForgetLastAccepted(), Rules = new BrokenCouncil.BelievesEveryDisk() });

    [Fact]
    public void A_member_that_answers_before_its_disk_is_caught() => Caught(new BrokenCouncil { SendsBeforeSync = true, Rules = new BrokenCouncil.BelievesEveryDisk() });

    [Fact]
    public void A_wiped_member_that_votes_is_caught() => Caught(new BrokenCouncil { WipedVotes = true, Rules = new BrokenCouncil.BelievesEveryDisk() });

    [Fact]
    public void A_leader_that_answers_reads_unconfirmed_is_caught() => Caught(new BrokenCouncil { ReadsUnconfirmed = true });

    [Theory]
    [InlineData(BrokenLeases.UnconditionalTimer)]
    [InlineData(BrokenLeases.NewLeaderGrantsNothing)]
    [InlineData(BrokenLeases.AnswersUnconfirmed)]
    [InlineData(BrokenLeases.AnswersWhileExpiring)]
    internal void A_leader_that_is_wrong_about_leases_is_caught(BrokenLeases leases) => Caught(new BrokenCouncil { Leases = leases });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_disk_put_back_from_a_copy_is_disowned(bool alsoStartedSince)
    {
        var world = new PaxosWorld(5, 3);
        world.RunQuietly(1_000_000_000);
        SimulatedMember member = world.Member(3);
        SimulatedDisk copy = member.Disk.Copy();
        if (alsoStartedSince)
        {
            member.Crash();
            member.Start();
        }
        world.RunQuietly(1_000_000_000);
        member.Crash();
        member.Disk = copy;
        member.Start();
        world.RunQuietly(1_000_000_000);
        Assert.True(member.Core!.Disowned);
        Assert.True(world.Member(1).Core!.Chosen > 20 && !world.Member(1).Core!.Disowned && !world.Member(2).Core!.Disowned);
    }

    private static IEnumerable<PaxosWorld> Runs(int council, bool leases)
    {
        for (int seed = 1; seed <= Seeds; seed++)
        {
            var world = new PaxosWorld(seed, council, leases: leases);
            try
            {
                world.Run(FaultyNs);
            }
            catch (SimulationException wrong)
            {
                Assert.Fail($"seed {seed}: {wrong.Message}");
            }
            yield return world;
        }
    }

    private static void Caught(BrokenCouncil broken)
    {
        for (int seed = 1; seed <= 1000; seed++)
        {
            try
            {
                new PaxosWorld(seed, 3, broken, leases: broken.Leases != BrokenLeases.None).Run(FaultyNs);
            }
            catch (Exception e) when (e is SimulationException { Message: var said } && !said.StartsWith("no rest", StringComparison.Ordinal) || e is Core.InvariantViolationException)
            {
                return;
            }
            catch (SimulationException)
            {
                // It hangs: that alone is no proof.
            }
        }
        Assert.Fail("1000 seeds without a complaint: the checkers are blind");
    }
}
