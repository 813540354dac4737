using System.Globalization;

namespace Rum.Dpdk.Tests;

/// <summary>Either end of a virtual wire is killed at any moment: while DPDK starts, while the silo is looked for, in the middle of pages. The other end stays.</summary>
public sealed class KillTests
{
    private const string Stress = "tests/Native/programs/stress.c";
    private const int Killed = 128 + 9, Bus = 128 + 7;

    // Said by make dpdk-soak, which has the time.
    private static readonly string? Soak = Environment.GetEnvironmentVariable("RUM_DPDK_KILLS");

    private static int Kills(int usual) => Soak is null ? usual : int.Parse(Soak, CultureInfo.InvariantCulture);

    [Theory]
    [InlineData("vhost")]
    [InlineData("af_packet-9000")]
    public async Task A_silo_survives_the_kill_of_its_client(string way)
    {
        await using DpdkCluster cluster = await DpdkCluster.StartAsync(Way.Of(way));
        var random = new Random(1);
        int kills = Kills(20), worked = 0;
        for (int i = 0; i < kills; i++)
        {
            using DpdkClient client = cluster.Start(Stress, "--seconds", "60", "--seed", "3");
            await Task.Delay(random.Next(20, 600));
            int code = await client.KillAsync();
            Assert.True(code == Killed, $"client {i} ended by itself with {code}: {client.Said}");
            Assert.False(cluster.Silo.HasExited, $"the silo ended after the kill of client {i}:\n{cluster.Silo.Errors}");
            if ((i + 1) % 10 == 0) await WorksAsync(cluster, ++worked);
        }
        await WorksAsync(cluster, ++worked);
        TestContext.Current.TestOutputHelper?.WriteLine($"{way}: {kills} clients killed, the silo stayed, {worked} other clients found it well");
    }

    [Theory]
    [InlineData("vhost")]
    [InlineData("af_packet-9000")]
    public async Task A_client_whose_silo_is_killed_is_told_and_the_next_one_works(string way)
    {
        await using DpdkCluster cluster = await DpdkCluster.StartAsync(Way.Of(way));
        var random = new Random(2);
        int kills = Kills(5), told = 0, refused = 0, wentOn = 0;
        for (int i = 0; i < kills; i++)
        {
            using DpdkClient client = cluster.Start(Stress, "--seconds", "1", "--seed", "3");
            await Task.Delay(random.Next(20, 1000));
            // One that came to its end before is no kill.
            bool ended = client.HasExited;
            cluster.Silo.Dispose();
            await cluster.StartSiloAsync();
            // Its pages are lost with the silo. One that had none yet goes on to its end; one that isn't told and waits for ever fails here.
            int code = await client.ExitAsync();
            Assert.True(code is Bus or 0 or 1 or 2, $"client {i} ended with {code}: {client.Said}");
            Assert.DoesNotContain("VIOLATION", client.Said);
            if (code == Bus) await client.SaysAsync("SIGBUS");
            if (code is 1 or 2) refused++;
            else if (code == Bus) told++;
            else if (!ended) wentOn++;
            if ((i + 1) % 10 == 0 || i + 1 == kills) await WorksAsync(cluster, i);
        }
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{way}: {kills} silos killed; of the clients {told} were told by SIGBUS, {refused} by an error, {wentOn} went on with the next silo, {kills - told - refused - wentOn} were done before, none hung");
    }

    private static async Task WorksAsync(DpdkCluster cluster, int seed)
    {
        (int code, string output) = await cluster.RunAsync(Stress, "--seconds", "1", "--seed", $"{seed + 5}");
        Assert.True(code == 0, output);
    }
}
