using Rum.Core;
using Rum.Pager.Paging;
using Rum.Simulation.Pages;

namespace Rum.Simulation.Client;

public sealed class ClientSimulationTests
{
    private static readonly int Seeds = Number("RUM_SIM_SEEDS", 1000);
    private static readonly int OnlySeed = Number("RUM_SIM_SEED", 0);

    [Fact]
    public void Every_load_sees_what_was_stored() => RunAll(Trouble.Pauses, Seeds);

    [Fact]
    public void What_a_silo_forgot_is_lost_and_never_zeros() => RunAll(Trouble.Pauses | Trouble.Restarts, Seeds / 8);

    [Fact]
    public void A_client_away_longer_than_its_lease_harms_nobody() => RunAll(Trouble.Pauses | Trouble.Expiry, Seeds / 4);

    [Fact]
    public void What_late_writes_leave_at_a_silo_that_restarted_is_found() => RunAll(Trouble.Pauses | Trouble.Restarts | Trouble.Expiry, Seeds / 16);

    [Fact]
    public void What_late_writes_leave_behind_the_end_of_a_segment_is_found() => RunAll(Trouble.Pauses | Trouble.Expiry | Trouble.Cut, Seeds / 8);

    [Fact]
    public void Readers_beside_their_writer_see_no_page_of_two_versions()
    {
        long mixed = RunAll(Trouble.Pauses | Trouble.Duel, Seeds / 8);
        TestContext.Current.TestOutputHelper?.WriteLine($"fragments of two versions met {mixed} times");
        Assert.True(mixed > 0 || OnlySeed != 0, "no fragments of two versions met: what this is about did not happen");
    }

    [Fact]
    public void A_seed_replays() => Assert.Equal(Hash(5), Hash(5));

    /// <summary>Empty shards move at once; who uses what the council gave him by an older view may write to a silo that is as far behind.</summary>
    [Fact]
    public void A_client_that_maps_before_it_has_the_view_is_caught() => Caught(new Broken { MapsBeforeView = true }, seeds: 400);

    [Fact]
    public void A_page_that_is_absent_before_its_write_is_acknowledged_is_caught() =>
        Caught(new Broken { Defect = PagerDefect.AbsentAtMoveOut }, seeds: 20);

    [Fact]
    public void A_short_dirty_hash_is_caught() => Caught(new Broken { Defect = PagerDefect.ShortHash }, seeds: 20);

    [Fact]
    public void A_rescue_that_returns_the_slot_is_caught() =>
        Caught(new Broken { Pager = p => { var broken = new RescuesWithTheSlot(p.Memory, p.World, p.Name, p.Pages); return (broken, broken); } }, seeds: 100);

    [Fact]
    public void A_server_that_applies_older_writes_is_caught() => Caught(new Broken { Silo = driver => new AppliesOlderWrites(driver), WholePages = true }, seeds: 200);

    /// <summary>By such a view a client reaches silos that joined after its memory was freed: they know nothing of it, and answer zeros.</summary>
    [Fact]
    public void A_council_that_gives_views_to_ended_sessions_is_caught() =>
        Caught(new Broken { ViewsForTheEnded = true }, seeds: 400, Trouble.Pauses | Trouble.Restarts | Trouble.Expiry);

    [Fact]
    public void Silos_that_never_ask_what_was_freed_are_caught() =>
        Caught(new Broken { NeverAudits = true, ViewsForTheEnded = true }, seeds: 200, Trouble.Pauses | Trouble.Restarts | Trouble.Expiry, "everything is freed, and silos keep pages");

    [Fact]
    public void Silos_that_never_ask_what_was_cut_off_are_caught() =>
        Caught(new Broken { NeverAuditsExtents = true }, seeds: 200, Trouble.Pauses | Trouble.Expiry | Trouble.Cut);

    [Fact]
    public void A_client_that_joins_mixed_fragments_is_caught() => Caught(new Broken { Client = driver => new BlindToVersions(driver) }, seeds: 40, Trouble.Pauses | Trouble.Duel);

    /// <summary>The checker that is meant for the variant speaks up: one whose words these are, where there are several.</summary>
    private static void Caught(Broken broken, int seeds, Trouble trouble = Trouble.Pauses, string says = "")
    {
        for (int seed = 1; seed <= seeds; seed++)
        {
            using var scenario = new Scenario(seed, trouble, 400, broken);
            try
            {
                scenario.Run();
            }
            catch (SimulationException hang) when (hang.Message.StartsWith("hangs", StringComparison.Ordinal))
            {
                // Not what the variant is for: its own checker must speak up.
            }
            catch (Exception wrong) when (wrong is SimulationException or InvariantViolationException)
            {
                if (!wrong.Message.Contains(says)) continue;
                TestContext.Current.TestOutputHelper?.WriteLine($"caught at seed {seed}: {wrong.Message}");
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

    private static long RunAll(Trouble trouble, int seeds)
    {
        if (OnlySeed != 0) return Run(OnlySeed, trouble);
        long mixed = 0;
        for (int seed = 1; seed <= seeds; seed++) mixed += Run(seed, trouble);
        return mixed;
    }

    /// <summary>How often fragments of different versions met.</summary>
    private static long Run(int seed, Trouble trouble)
    {
        using var scenario = new Scenario(seed, trouble, 400);
        try
        {
            scenario.Run();
            return scenario.MixedFragments;
        }
        catch (Exception wrong) when (wrong is SimulationException or InvariantViolationException)
        {
            Assert.Fail($"seed {seed} ({scenario}): {wrong.Message}\n{wrong.StackTrace}\n{scenario.Trace.Tail()}");
            throw;
        }
    }

    private static int Number(string name, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable(name), out int n) ? n : otherwise;
}
