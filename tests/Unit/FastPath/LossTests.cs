using Rum.Core;
using Rum.FastPath.Client;
using Rum.FastPath.Drivers.Simulated;

namespace Rum.Unit.FastPath;

/// <summary>What lost and late frames cost.</summary>
public sealed class LossTests
{
    private const int Reads = 4_000;

    private static readonly SegmentHandle Segment = Cluster.Handle(2, 5);

    [Fact]
    public void A_lost_frame_costs_a_few_round_trips()
    {
        using var cluster = new Cluster(network: new SimulatedNetworkOptions { Link = new LinkSettings { DelayNsMin = 10_000, DelayNsMax = 14_000 } });
        long usual = Percentile(Run(cluster, Reads), 0.5);
        Assert.Equal(0, cluster.Client.Counters.Probes);
        SetLink(cluster, new LinkSettings { Loss = 0.01, DelayNsMin = 10_000, DelayNsMax = 14_000 });
        List<long> times = Run(cluster, Reads);
        long late = Percentile(times, 0.99);
        Assert.InRange(late, usual, 5 * usual);
        Assert.InRange(times.Sum(), 0, 2 * Reads * usual);
        Assert.InRange(cluster.Client.Counters.Probes, Reads / 100, Reads / 20);
    }

    [Fact]
    public void A_slow_silo_is_not_probed_for_ever()
    {
        using var cluster = new Cluster();
        Run(cluster, 200);
        SetLink(cluster, new LinkSettings { DelayNsMin = 1_000_000, DelayNsMax = 1_200_000 });
        Run(cluster, 40);
        long probes = cluster.Client.Counters.Probes;
        Assert.InRange(probes, 1, 60);
        Run(cluster, 200);
        Assert.Equal(probes, cluster.Client.Counters.Probes);
        Assert.Equal(0, cluster.Client.Counters.Resends);
    }

    [Fact]
    public void A_silent_silo_is_probed_twice_and_then_resent_to_less_and_less()
    {
        using var cluster = new Cluster();
        Run(cluster, 200);
        SetLink(cluster, new LinkSettings { Loss = 1 });
        Assert.True(cluster.Client.TryRead(Segment, 1, 1, 1));
        long end = cluster.Network.NowNs + 2_000_000_000;
        cluster.Until(() => cluster.Network.NowNs > end, "two seconds pass");
        Assert.Equal(2, cluster.Client.Counters.Probes);
        Assert.InRange(cluster.Client.Counters.Resends, 4, 12);
    }

    private static void SetLink(Cluster cluster, LinkSettings settings)
    {
        for (int from = 0; from < 4; from++)
            for (int to = 0; to < 4; to++) cluster.Network.SetLink(from, to, settings);
    }

    /// <summary>Reads one page after the other and says how long each took.</summary>
    private static List<long> Run(Cluster cluster, int count)
    {
        var times = new List<long>(count);
        for (int i = 0; i < count; i++)
        {
            long begun = cluster.Network.NowNs;
            Assert.Equal(PageStatus.Zero, cluster.Read(Segment, i % 64).Status);
            times.Add(cluster.Network.NowNs - begun);
        }
        return times;
    }

    private static long Percentile(List<long> times, double share) => times.Order().ElementAt((int)(share * times.Count));
}
