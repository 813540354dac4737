using Rum.FastPath.Drivers;
using Rum.FastPath.Drivers.Simulated;
using Rum.Simulation.Pages;

namespace Rum.Simulation.Client;

/// <summary>What all parts of a run share: time, chance, the network, what happens later, and the trace.</summary>
internal sealed class World(int seed, SimulatedNetwork network)
{
    private readonly PriorityQueue<Action, (long Due, long Order)> _later = new();
    private long _order, _moment;

    public int Seed => seed;

    public Random Random { get; } = new(seed);

    public SimulatedNetwork Network => network;

    /// <summary>The silos' addresses by the end points that they join under.</summary>
    public Dictionary<string, PeerAddress> Addresses { get; } = [];

    public EventTrace Trace { get; } = new();

    public long NowNs => network.NowNs;

    /// <summary>A number for a moment, so that things at the same nanosecond have an order.</summary>
    public long Moment() => ++_moment;

    public long NextNs => _later.TryPeek(out _, out (long Due, long Order) key) ? key.Due : long.MaxValue;

    public void After(long ns, Action action) => _later.Enqueue(action, (NowNs + ns, _order++));

    public void RunDue()
    {
        while (_later.TryPeek(out _, out (long Due, long Order) key) && key.Due <= NowNs) _later.Dequeue()();
    }

    public bool Chance(double rate) => rate > 0 && Random.NextDouble() < rate;

    /// <summary>A delay of a control message: mostly short, sometimes resent.</summary>
    public long ControlDelayNs() => Random.Next(20_000, 400_000) + (Chance(0.05) ? Random.Next(5_000_000, 50_000_000) : 0);

    public void Note(string who, string what, long a = 0, long b = 0) => Trace.Note(NowNs, who, what, a, b);

    public static SimulationException Wrong(string message) => new(message);
}
