using System.Diagnostics;
using System.Globalization;

namespace Rum.Dpdk.Tests;

/// <summary>Real silos and programs over each kind of virtual wire.</summary>
public sealed class WireTests
{
    private const string Stress = "tests/Native/programs/stress.c";
    private const int Killed = 128 + 9, Bus = 128 + 7;

    // Said by make dpdk-soak, which runs everything.
    private static readonly string? Soak = Environment.GetEnvironmentVariable("RUM_DPDK_KILLS");

    private static readonly int Kills = int.Parse(Soak ?? "5", CultureInfo.InvariantCulture);

    public static TheoryData<string> Ways() => new(Way.All.Select(way => way.Name));

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task No_update_is_lost(string way)
    {
        if (way == "af_xdp" && Soak is null) Assert.Skip("Not reliable over AF_XDP yet (docs/DPDK.md): make dpdk-soak.");
        if (way == "vhost-busy" && Soak is null) Assert.Skip("Wants CPUs that nobody else uses: make dpdk-soak.");
        await using DpdkCluster cluster = await DpdkCluster.StartAsync(Way.Of(way));
        (int code, string output) = await cluster.RunAsync(Stress, "--seconds", "2", "--seed", "7");
        Assert.True(code == 0, output);
    }

    [Theory]
    [InlineData("0.001")]
    [InlineData("0.01")]
    [InlineData("0.05")]
    public async Task No_update_is_lost_over_a_wire_that_loses_frames(string share)
    {
        // At 5% the check of every page at the end takes minutes.
        if (share != "0.01" && Soak is null) Assert.Skip("Takes long: make dpdk-soak.");
        await using DpdkCluster cluster = await DpdkCluster.StartAsync(Way.Of("af_packet-queued"));
        int perMille = (int)(double.Parse(share, CultureInfo.InvariantCulture) * 1000);
        foreach (string face in (string[])["rums0", "rumc0"])
        {
            string[] commands =
            [
                $"nft add table netdev {face}", $"nft add chain netdev {face} out {{ type filter hook egress device {face} priority 0 ; }}",
                $"nft add rule netdev {face} out numgen random mod 1000 < {perMille} counter drop",
            ];
            foreach (string command in commands)
                if (!cluster.TryRun(command, out string why)) Assert.Skip(why);
        }
        (int code, string output) = await cluster.RunAsync(Stress, "--seconds", "2", "--seed", "9");
        Assert.True(code == 0, output);
        Assert.True(cluster.TryRun("nft list ruleset", out string rules), rules);
        Assert.Contains("counter packets ", rules);
        Assert.False(rules.Contains("counter packets 0 ", StringComparison.Ordinal), "Nothing was lost: the test proves nothing.\n" + rules);
    }

    [Theory]
    [InlineData("vhost")]
    [InlineData("af_packet-9000")]
    public async Task A_silo_survives_the_kill_of_its_client_at_any_moment(string way)
    {
        await using DpdkCluster cluster = await DpdkCluster.StartAsync(Way.Of(way));
        var random = new Random(1);
        for (int i = 0; i < Kills; i++)
        {
            using Process client = cluster.Start(Stress, "--seconds", "60", "--seed", "3");
            // Any moment will do: while DPDK starts, while the silo is looked for, in the middle of pages.
            await Task.WhenAny(client.WaitForExitAsync(), Task.Delay(random.Next(20, 900)));
            client.Kill();
            await client.WaitForExitAsync();
            Assert.True(client.ExitCode == Killed,
                $"client {i} ended by itself with {client.ExitCode}: {await client.StandardOutput.ReadToEndAsync()}{await client.StandardError.ReadToEndAsync()}");
            Assert.False(cluster.Silo.HasExited, $"the silo ended after the kill of client {i}:\n{cluster.Silo.Errors}");
        }
        (int code, string output) = await cluster.RunAsync(Stress, "--seconds", "2", "--seed", "5");
        Assert.True(code == 0, output);
    }

    [Theory]
    [InlineData("vhost")]
    [InlineData("af_packet-9000")]
    public async Task A_client_whose_silo_is_killed_is_told_and_the_next_one_works(string way)
    {
        await using DpdkCluster cluster = await DpdkCluster.StartAsync(Way.Of(way));
        for (int i = 0; i < Math.Max(2, Kills / 3); i++)
        {
            using Process client = cluster.Start(Stress, "--seconds", "600", "--seed", "3");
            Task<string> said = client.StandardError.ReadToEndAsync();
            await Task.WhenAny(client.WaitForExitAsync(), Task.Delay(400 + (i * 300)));
            cluster.Silo.Dispose();
            await cluster.StartSiloAsync();
            // Its pages are lost with the silo; a client that had none, or none yet, goes on: then it is ended here.
            await Task.WhenAny(client.WaitForExitAsync(), Task.Delay(Soak is null ? 3_000 : 10_000));
            if (!client.HasExited) client.Kill();
            await client.WaitForExitAsync();
            Assert.True(client.ExitCode is Bus or Killed or 1 or 2, $"client {i} ended with {client.ExitCode}: {await said}");
            (int code, string output) = await cluster.RunAsync(Stress, "--seconds", "1", "--seed", "5");
            Assert.True(code == 0, output);
        }
    }
}
