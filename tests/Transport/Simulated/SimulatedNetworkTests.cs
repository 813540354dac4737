using FsCheck;
using FsCheck.Fluent;
using Rum.FastPath.Drivers;
using Rum.FastPath.Drivers.Simulated;
using Rum.Transport.Tests.Conformance;

namespace Rum.Transport.Tests.Simulated;

public sealed class SimulatedNetworkTests
{
    private static readonly LinkSettings Bad = new()
    {
        Loss = 0.05,
        Duplication = 0.02,
        Corruption = 0.02,
        Truncation = 0.02,
        Reordering = 0.1,
        DelayNsMin = 5_000,
        DelayNsMax = 50_000,
    };

    [Fact]
    public void The_same_seed_does_the_same_and_another_does_not() => Prop.ForAll<ulong>(seed =>
    {
        Run first = Play(seed, Bad), again = Play(seed, Bad), other = Play(seed + 1, Bad);
        return first.Hash == again.Hash && first.Events.SequenceEqual(again.Events) && first.Hash != other.Hash;
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Every_fault_that_is_switched_on_occurs_at_about_its_rate()
    {
        Run run = Play(7, Bad, 20_000);
        AssertShare(run, SimulatedEventKind.Lost, 0.05);
        AssertShare(run, SimulatedEventKind.Duplicated, 0.02 * 0.95);
        AssertShare(run, SimulatedEventKind.Corrupted, 0.02 * 0.95);
        AssertShare(run, SimulatedEventKind.Truncated, 0.02 * 0.95);
        AssertShare(run, SimulatedEventKind.HeldUp, 0.1 * 0.95);
        Assert.Equal(
            run.Count(SimulatedEventKind.Sent) - run.Count(SimulatedEventKind.Lost) + run.Count(SimulatedEventKind.Duplicated),
            run.Count(SimulatedEventKind.Delivered));
        Assert.NotEqual(run.Arrivals.Order(), run.Arrivals);
    }

    [Fact]
    public void A_perfect_link_does_nothing_but_delay()
    {
        Run run = Play(7, LinkSettings.Perfect, 1000);
        Assert.Equal(1000, run.Count(SimulatedEventKind.Delivered));
        Assert.Equal(2000, run.Events.Count);
        Assert.Equal(run.Arrivals.Order(), run.Arrivals);
    }

    [Fact]
    public void Frames_arrive_at_their_moment_and_not_before()
    {
        using var network = new SimulatedNetwork(1, new SimulatedNetworkOptions { Link = new LinkSettings { DelayNsMin = 100, DelayNsMax = 100 } });
        SimulatedDriver a = network.CreateEndpoint(), b = network.CreateEndpoint();
        using var frames = new TestFrames(1);
        frames.Fill(0, b.Address, 1, 10);
        a.Send(frames.Tx);
        Assert.Equal(100, network.NextArrivalNs);
        var rx = new RxFrame[1];
        network.AdvanceTo(99);
        Assert.Equal(0, b.Receive(rx));
        network.AdvanceTo(100);
        Assert.Equal(1, b.Receive(rx));
        Assert.Equal(long.MaxValue, network.NextArrivalNs);
    }

    [Fact]
    public void A_block_works_in_one_direction_until_it_is_lifted()
    {
        using var network = new SimulatedNetwork(1);
        SimulatedDriver a = network.CreateEndpoint(), b = network.CreateEndpoint();
        network.Block(a.Number, b.Number);
        Assert.Equal((0, 1), (Pass(network, a, b), Pass(network, b, a)));
        network.Unblock(a.Number, b.Number);
        Assert.Equal((1, 1), (Pass(network, a, b), Pass(network, b, a)));
    }

    [Fact]
    public void A_link_of_its_own_settings_is_alone_with_them()
    {
        using var network = new SimulatedNetwork(1);
        SimulatedDriver a = network.CreateEndpoint(), b = network.CreateEndpoint(), c = network.CreateEndpoint();
        network.SetLink(a.Number, b.Number, new LinkSettings { Loss = 1 });
        Assert.Equal((0, 1, 1), (Pass(network, a, b), Pass(network, b, a), Pass(network, a, c)));
    }

    [Fact]
    public void A_full_inbox_drops_and_too_much_on_the_way_pushes_back()
    {
        using var network = new SimulatedNetwork(1, new SimulatedNetworkOptions { InboxMax = 4, InFlightMax = 6 });
        SimulatedDriver a = network.CreateEndpoint(), b = network.CreateEndpoint();
        using var frames = new TestFrames(10);
        for (int i = 0; i < 10; i++) frames.Fill(i, b.Address, (uint)i, 10);
        Assert.Equal(6, a.Send(frames.Tx));
        Assert.Equal(1, a.Counters.SendBackPressure);
        network.AdvanceTo(1_000_000);
        Assert.Equal(4, b.Receive(new RxFrame[10]));
        Assert.Equal(6, a.Send(frames.Tx.AsSpan(0, 6)));
    }

    private static int Pass(SimulatedNetwork network, SimulatedDriver from, SimulatedDriver to)
    {
        using var frames = new TestFrames(1);
        frames.Fill(0, to.Address, 1, 10);
        Assert.Equal(1, from.Send(frames.Tx));
        network.AdvanceTo(network.NowNs + 1_000_000);
        int received = to.Receive(new RxFrame[2]);
        to.Release();
        return received;
    }

    private static void AssertShare(Run run, SimulatedEventKind kind, double expected) =>
        Assert.InRange((double)run.Count(kind) / run.Count(SimulatedEventKind.Sent), expected * 0.8, expected * 1.2);

    private static Run Play(ulong seed, LinkSettings link, int count = 200)
    {
        using var network = new SimulatedNetwork(seed, new SimulatedNetworkOptions { Link = link });
        var events = new List<SimulatedEvent>();
        network.Trace = events.Add;
        SimulatedDriver a = network.CreateEndpoint(), b = network.CreateEndpoint();
        using var frames = new TestFrames(1);
        var rx = new RxFrame[64];
        for (int i = 0; i < count; i++)
        {
            frames.Fill(0, b.Address, (uint)i, 100);
            Assert.Equal(1, a.Send(frames.Tx));
            network.AdvanceTo(network.NowNs + 1_000);
            b.Receive(rx);
            b.Release();
        }

        network.AdvanceTo(network.NowNs + 10_000_000);
        return new Run(network.TraceHash, events);
    }

    private sealed record Run(ulong Hash, List<SimulatedEvent> Events)
    {
        public IEnumerable<long> Arrivals => Events.Where(e => e.Kind == SimulatedEventKind.Delivered).Select(e => e.Frame);

        public int Count(SimulatedEventKind kind) => Events.Count(e => e.Kind == kind);
    }
}
