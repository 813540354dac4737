using Rum.Simulation.Pages;

namespace Rum.Simulation.Signs;

public sealed class SignSimulationTests
{
    private static readonly int Seeds = int.TryParse(Environment.GetEnvironmentVariable("RUM_SIM_SEEDS"), out int seeds) ? seeds : 40;

    [Fact]
    public void Who_lives_is_never_missed_and_who_does_not_is_missed_in_time()
    {
        int noticed = 0, faults = 0;
        for (int seed = 1; seed <= Seeds; seed++)
        {
            var world = new SignWorld(seed);
            try
            {
                world.Run(200_000);
            }
            catch (SimulationException wrong)
            {
                Assert.Fail($"seed {seed}: {wrong.Message}");
            }
            noticed += world.Noticed;
            faults += world.Faults;
        }
        Assert.True(noticed > 5 * Seeds, $"only {noticed} silos were noticed in {Seeds} runs with {faults} faults");
    }

    [Theory]
    [InlineData(BrokenObserver.CountsItsOwnSleep, "was taken for silent")]
    [InlineData(BrokenObserver.BelievesThePageThreadAlone, "ControlHangs")]
    [InlineData(BrokenObserver.BelievesTheControlPlaneAlone, "PagesHang")]
    [InlineData(BrokenObserver.MixesUpLives, "nobody misses it")]
    [InlineData(BrokenObserver.BelievesWhoeverDoubts, "was taken for silent")]
    internal void A_wrong_observer_is_caught(BrokenObserver broken, string said)
    {
        for (int seed = 1; seed <= 50; seed++)
        {
            try
            {
                new SignWorld(seed, broken).Run(200_000);
            }
            catch (SimulationException wrong) when (wrong.Message.Contains(said, StringComparison.Ordinal))
            {
                return;
            }
        }
        Assert.Fail($"50 seeds, and nobody noticed that the observer is one that {broken}");
    }
}
