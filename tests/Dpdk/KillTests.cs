using System.Diagnostics;
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
            using Process client = cluster.Start(Stress, "--seconds", "60", "--seed", "3");
            Task<string> said = client.StandardError.ReadToEndAsync(), output = client.StandardOutput.ReadToEndAsync();
            await Task.WhenAny(client.WaitForExitAsync(), Task.Delay(random.Next(20, 600)));
            client.Kill();
            await client.WaitForExitAsync();
            Assert.True(client.ExitCode == Killed, $"client {i} ended by itself with {client.ExitCode}: {await output}{await said}");
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
        int kills = Kills(5), told = 0;
        for (int i = 0; i < kills; i++)
        {
            using Process client = cluster.Start(Stress, "--seconds", "600", "--seed", "3");
            Task<string> said = client.StandardError.ReadToEndAsync();
            await Task.WhenAny(client.WaitForExitAsync(), Task.Delay(random.Next(20, 1500)));
            cluster.Silo.Dispose();
            await cluster.StartSiloAsync();
            // Its pages are lost with the silo; a client that had none yet goes on: then it is ended here.
            await Task.WhenAny(client.WaitForExitAsync(), Task.Delay(2_000));
            if (!client.HasExited) client.Kill();
            await client.WaitForExitAsync();
            Assert.True(client.ExitCode is Bus or Killed or 1 or 2, $"client {i} ended with {client.ExitCode}: {await said}");
            if (client.ExitCode == Bus) Assert.Contains("SIGBUS", await said);
            told += client.ExitCode == Bus ? 1 : 0;
            if ((i + 1) % 10 == 0 || i + 1 == kills) await WorksAsync(cluster, i);
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{way}: {kills} silos killed, {told} clients had pages there and were told, none ended otherwise");
    }

    private static async Task WorksAsync(DpdkCluster cluster, int seed)
    {
        (int code, string output) = await cluster.RunAsync(Stress, "--seconds", "1", "--seed", $"{seed + 5}");
        Assert.True(code == 0, output);
    }
}
