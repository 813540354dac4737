using Rum.Simulation.Pages;

namespace Rum.Simulation.Replicas;

public sealed class ReplicaSimulationTests
{
    private static readonly int Seeds = int.TryParse(Environment.GetEnvironmentVariable("RUM_SIM_SEEDS"), out int seeds) ? seeds : 200;

    [Fact]
    public void Nothing_acknowledged_is_lost_while_silos_come_and_go()
    {
        long successions = 0, levelled = 0;
        int first = int.TryParse(Environment.GetEnvironmentVariable("RUM_SIM_SEED"), out int seed) ? seed : 1;
        for (int i = first; i < first + Seeds; i++)
        {
            using var simulation = new ReplicaSimulation(i);
            try
            {
                simulation.Run(operations: 300);
            }
            catch (SimulationException wrong)
            {
                Assert.Fail($"seed {i}: {wrong.Message}\n{simulation.Trace.Tail()}");
            }
            successions += simulation.Changes.Successions;
            levelled += simulation.Changes.Levelled;
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{successions} successions, {levelled} pages levelled");
        Assert.True(successions > 0 && levelled > 0, "no succession, or nothing to level: the run shows nothing of it");
    }

    [Fact]
    public void A_seed_replays()
    {
        using var first = new ReplicaSimulation(7);
        using var second = new ReplicaSimulation(7);
        Assert.Equal(first.Run(100), second.Run(100));
    }

    [Fact]
    public void A_restart_that_keeps_its_identity_is_caught() => Caught(BrokenReplica.RestartKeepsIdentity);

    [Fact]
    public void A_learner_whose_acknowledgement_is_not_asked_for_is_caught() => Caught(BrokenReplica.LearnerNotAsked);

    [Fact]
    public void A_trim_that_forgets_its_version_is_caught() => Caught(BrokenReplica.TrimForgets);

    [Fact]
    public void A_successor_that_fences_one_silo_only_is_caught() => Caught(BrokenReplica.FencesOneSilo);

    [Fact]
    public void A_successor_that_levels_nothing_is_caught() => Caught(BrokenReplica.LevelsNothing);

    [Fact]
    public void A_client_that_takes_a_lower_epoch_is_caught() => Caught(BrokenReplica.TakesLowerEpoch);

    [Fact]
    public void A_learner_that_takes_no_token_is_caught() => Caught(BrokenReplica.LearnerTakesNoToken);

    private static void Caught(BrokenReplica broken)
    {
        for (int seed = 1; seed <= 400; seed++)
        {
            try
            {
                using var simulation = new ReplicaSimulation(seed, broken);
                simulation.Run(operations: 300);
            }
            catch (SimulationException wrong) when (!wrong.Message.StartsWith("hangs", StringComparison.Ordinal) && !wrong.Message.StartsWith("does not", StringComparison.Ordinal))
            {
                return;
            }
        }
        Assert.Fail("400 seeds without a complaint: the checker is blind");
    }
}
