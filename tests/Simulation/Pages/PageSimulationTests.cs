using Rum.FastPath.Drivers;

namespace Rum.Simulation.Pages;

public sealed class PageSimulationTests
{
    private static readonly int Seeds = int.TryParse(Environment.GetEnvironmentVariable("RUM_SIM_SEEDS"), out int seeds) ? seeds : 1000;

    [Fact]
    public void Every_byte_is_right_over_a_bad_network()
    {
        for (int seed = 1; seed <= Seeds; seed++)
        {
            try
            {
                using var simulation = new PageSimulation(seed);
                simulation.Run(operations: 150);
            }
            catch (SimulationException wrong)
            {
                Assert.Fail($"seed {seed}: {wrong.Message}");
            }
        }
    }

    [Fact]
    public void A_seed_replays()
    {
        using var first = new PageSimulation(7);
        using var second = new PageSimulation(7);
        Assert.Equal(first.Run(100), second.Run(100));
    }

    [Fact]
    public void A_server_that_applies_older_writes_is_caught() => Caught(driver => new AppliesOlderWrites(driver), null);

    [Fact]
    public void A_client_that_joins_mixed_fragments_is_caught() => Caught(null, driver => new BlindToVersions(driver));

    private static void Caught(Func<IDriver, IDriver>? server, Func<IDriver, IDriver>? client)
    {
        for (int seed = 1; seed <= 200; seed++)
        {
            try
            {
                using var simulation = new PageSimulation(seed, server, client);
                simulation.Run(operations: 400);
            }
            catch (SimulationException)
            {
                return;
            }
        }
        Assert.Fail("200 seeds without a complaint: the checker is blind");
    }
}
