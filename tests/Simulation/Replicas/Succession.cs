using Rum.Core;
using Rum.FastPath.Client;
using Rum.Simulation.Pages;

namespace Rum.Simulation.Replicas;

/// <summary>A named segment: who writes it, who has written it and doesn't know that it is over, who is about to, and who reads it beside them.</summary>
internal sealed class Succession(UInt128 key, SegmentId segment) : IDisposable
{
    private readonly List<SimulatedClient> _ended = [];

    public UInt128 Key => key;

    public SegmentId Segment => segment;

    /// <summary>The last that has taken it over.</summary>
    public required SimulatedClient Writer { get; set; }

    /// <summary>Who has the token, but not all silos' word yet; null: nobody.</summary>
    public SimulatedClient? Opening { get; set; }

    /// <summary>The session of whoever has the token.</summary>
    public required SessionId Session { get; set; }

    /// <summary>Former writers that go on.</summary>
    public List<SimulatedClient> Formers { get; } = [];

    public List<SimulatedReader> Readers { get; } = [];

    /// <summary>Clients to which the council's word doesn't come.</summary>
    public HashSet<PageClient> CutOff { get; } = [];

    /// <summary>The writer before, and what of its pages the present one found.</summary>
    public SimulatedClient? Before { get; set; }

    public int[] Found { get; } = new int[SimulatedClient.Pages];

    /// <summary>What the replicas agreed on when the present writer began.</summary>
    public PageVersion[] Settled { get; } = new PageVersion[SimulatedClient.Pages];

    /// <summary>By page and epoch of its shard: the newest version that was acknowledged, and whether it is zeros.</summary>
    public Dictionary<uint, (PageVersion Version, bool Zero)>[] Acknowledged { get; } = [.. Enumerable.Range(0, SimulatedClient.Pages).Select(static _ => new Dictionary<uint, (PageVersion, bool)>())];

    /// <summary>Those who hear of views.</summary>
    public IEnumerable<PageClient> Clients => All.Select(static client => client.Client).Concat(Readers.Select(static reader => reader.Client)).Where(client => !CutOff.Contains(client));

    public long NextDeadlineNs => All.Select(static client => client.NextDeadlineNs).Concat(Readers.Select(static reader => reader.NextDeadlineNs)).Min();

    private IEnumerable<SimulatedClient> All => Formers.Append(Writer).Concat(Opening is null ? [] : [Opening]).Where(client => !_ended.Contains(client));

    public void Step(long nowNs)
    {
        foreach (SimulatedClient client in All.ToArray()) client.Step(nowNs);
        foreach (SimulatedReader reader in Readers) reader.Step(nowNs);
    }

    /// <summary>Its process dies; its model stays, to be compared with.</summary>
    public void End(SimulatedClient client)
    {
        Formers.Remove(client);
        _ended.Add(client);
        CutOff.Add(client.Client);
        client.Dispose();
    }

    public bool HasEnded(SimulatedClient client) => _ended.Contains(client);

    public void Dispose()
    {
        foreach (SimulatedClient client in All.ToArray()) client.Dispose();
        foreach (SimulatedReader reader in Readers) reader.Dispose();
    }

    public override string ToString() =>
        $"{Segment}: {Writer}{(Opening is null ? "" : $", being taken over by token {Opening.Handle.Token} ({Opening}), which waits for {Opening.Client.TakeOverWaitsFor(ReplicaSimulation.TakeOverCookie)}")}";
}
