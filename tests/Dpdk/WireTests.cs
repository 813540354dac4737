using System.Globalization;

namespace Rum.Dpdk.Tests;

/// <summary>Real silos and programs over each kind of virtual wire.</summary>
public sealed class WireTests
{
    private const string Stress = "tests/Native/programs/stress.c";

    // Said by make dpdk-soak, which runs everything.
    private static readonly string? Soak = Environment.GetEnvironmentVariable("RUM_DPDK_KILLS");

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
        if (share != "0.01" && Soak is null) Assert.Skip("Takes long: make dpdk-soak.");
        await using DpdkCluster cluster = await DpdkCluster.StartAsync(Way.Of("af_packet-bridged"));
        if (!cluster.TryLose((int)(double.Parse(share, CultureInfo.InvariantCulture) * 1000), out string why)) Assert.Skip(why);
        (int code, string output) = await cluster.RunAsync(Stress, "--seconds", "2", "--seed", "9");
        Assert.True(code == 0, output);
        Assert.True(cluster.TryRun("nft list ruleset", out string rules), rules);
        Assert.Contains("counter packets ", rules);
        Assert.False(rules.Contains("counter packets 0 ", StringComparison.Ordinal), "Nothing was lost: the test proves nothing.\n" + rules);
    }

    [Theory]
    [InlineData("vhost")]
    [InlineData("af_packet-9000")]
    [InlineData("af_packet-1500")]
    public async Task The_demo_gets_back_what_it_wrote(string way)
    {
        await using DpdkCluster cluster = await DpdkCluster.StartAsync(Way.Of(way));
        (int code, string output) = await cluster.RunAsync("apps/demo/demo.c", "64");
        Assert.True(code == 0, output);
        Assert.Contains("result 67108864 0\n", output);
    }
}
