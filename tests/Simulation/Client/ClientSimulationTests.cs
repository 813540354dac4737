using Rum.Core;
using Rum.Simulation.Pages;

namespace Rum.Simulation.Client;

public sealed class ClientSimulationTests
{
    private static readonly int Seeds = Number("RUM_SIM_SEEDS", 300);
    private static readonly int OnlySeed = Number("RUM_SIM_SEED", 0);

    [Fact]
    public void Every_load_sees_what_was_stored() => RunAll(Trouble.Pauses);

    [Fact]
    public void A_client_away_longer_than_its_lease_harms_nobody() => RunAll(Trouble.Pauses | Trouble.Expiry);

    [Fact]
    public void A_seed_replays() => Assert.Equal(Hash(5), Hash(5));

    /// <summary>Empty shards move at once; who uses what the council gave him by an older view may write to a silo that is as far behind.</summary>
    [Fact]
    public void A_client_that_maps_before_it_has_the_view_is_caught() => Caught(new Broken { MapsBeforeView = true }, seeds: 400);

    private static void Caught(Broken broken, int seeds)
    {
        for (int seed = 1; seed <= seeds; seed++)
        {
            using var scenario = new Scenario(seed, Trouble.Pauses, 400, broken);
            try
            {
                scenario.Run();
            }
            catch (Exception wrong) when (wrong is SimulationException or InvariantViolationException)
            {
                return;
            }
        }
        Assert.Fail($"{seeds} seeds without a complaint: the checkers are blind");
    }

    private static ulong Hash(int seed)
    {
        using var scenario = new Scenario(seed, Trouble.Pauses, 200);
        return scenario.Run();
    }

    private static void RunAll(Trouble trouble)
    {
        if (OnlySeed != 0) Run(OnlySeed, trouble);
        else
            for (int seed = 1; seed <= Seeds; seed++) Run(seed, trouble);
    }

    private static void Run(int seed, Trouble trouble)
    {
        using var scenario = new Scenario(seed, trouble, 400);
        try
        {
            scenario.Run();
        }
        catch (Exception wrong) when (wrong is SimulationException or InvariantViolationException)
        {
            Assert.Fail($"seed {seed} ({scenario}): {wrong.Message}\n{wrong.StackTrace}\n{scenario.Trace.Tail()}");
        }
    }

    private static int Number(string name, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable(name), out int n) ? n : otherwise;
}
