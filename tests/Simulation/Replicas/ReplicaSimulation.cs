using Rum.Core;
using Rum.Core.Council;
using Rum.FastPath.Client;
using Rum.FastPath.Drivers;
using Rum.FastPath.Drivers.Simulated;
using Rum.FastPath.Server;
using Rum.Simulation.Client;
using Rum.Simulation.Pages;

namespace Rum.Simulation.Replicas;

/// <summary>What is broken in a run: each must be caught.</summary>
[Flags]
internal enum BrokenReplica
{
    None = 0,
    RestartKeepsIdentity = 1,
    LearnerNotAsked = 2,
    TrimForgets = 4,
}

/// <summary>
/// Silos with several copies of each page, and clients that write to them, over a bad network, while silos crash, restart at once, stand still, are
/// taken for dead wrongly, drain and come back. All from one seed, in virtual time; the council decides at once, and everybody hears of it late.
/// After every step it is looked up whether each replica in sync has what was acknowledged.
/// </summary>
internal sealed unsafe partial class ReplicaSimulation : IDisposable
{
    private const int RingShards = 8;
    private const long LimitNs = 120_000_000_000;

    private readonly World _world;
    private readonly SimulatedNetwork _network;
    private readonly SimulatedCouncil _council;
    private readonly List<SimulatedSilo> _silos = [];
    private readonly List<SimulatedClient> _clients = [];
    private readonly Dictionary<PageClient, IDriver> _drivers = [];
    private readonly BrokenReplica _broken;
    private readonly Random _random;
    private readonly int _copies;
    private ulong _told;
    private bool _calm;
    private uint _request;
    private long _steps;

    public ReplicaSimulation(int seed, BrokenReplica broken = BrokenReplica.None)
    {
        _broken = broken;
        var link = new LinkSettings
        {
            Loss = 0.05,
            Duplication = 0.03,
            Reordering = 0.1,
            Corruption = 0.01,
            ReorderDelayNs = new Random(seed).Next(100_000, 30_000_000),
            DelayNsMin = 5_000,
            DelayNsMax = 200_000,
        };
        _network = new SimulatedNetwork(
            (ulong)seed, new SimulatedNetworkOptions { MaxPayload = seed % 3 == 0 ? 1344 : Layout.PageSize, Link = link, UsesLanding = seed % 2 == 0 });
        _world = new World(seed, _network);
        _random = _world.Random;
        _council = new SimulatedCouncil(_world, RingShards) { Decided = Decided };
        int silos = _random.Next(3, 6);
        _copies = _random.Next(2, 4);
        for (int i = 0; i < silos; i++)
        {
            _silos.Add(new SimulatedSilo(_world, _council, $"silo{i}", Broken.Nothing)
            {
                Defect = broken.HasFlag(BrokenReplica.TrimForgets) ? ReplicaDefect.TrimForgetsItsVersion : ReplicaDefect.None,
                KeepsIdentity = broken.HasFlag(BrokenReplica.RestartKeepsIdentity),
            });
            _silos[i].Start();
        }
        while (_council.Machine.View.Members.Count < silos) Step();
        for (int i = 0; i < 2; i++) Add(new SessionId((ulong)i + 1));
    }

    public EventTrace Trace => _world.Trace;

    /// <summary>Runs until every client has done its operations, and everything is quiet and looked through.</summary>
    public long Run(int operations)
    {
        foreach (SimulatedClient client in _clients) client.Operations = operations;
        while (!_clients.TrueForAll(client => client.Done))
        {
            if (_network.NowNs > LimitNs) throw new SimulationException($"hangs: {string.Join("; ", _clients)}; {Shards()}");
            if (!_calm && _clients.TrueForAll(client => client.Operations == 0)) BeCalm();
            if (!_calm) Trouble();
            Step();
        }
        Settle();
        CheckEqual();
        return _network.NowNs;
    }

    public void Dispose()
    {
        foreach (SimulatedClient client in _clients) client.Dispose();
        foreach (SimulatedSilo silo in _silos) silo.Dispose();
        _network.Dispose();
    }

    private void Add(SessionId session)
    {
        SimulatedDriver endpoint = _network.CreateEndpoint();
        var client = new PageClient(new PageClientOptions
        {
            Requests = 32,
            AssembliesMax = 24,
            ResendNsMin = 300_000,
            ReadElsewhereNs = 2_000_000,
            ClockNs = () => _network.NowNs,
            ViewIsStale = () => { },
        })
        {
            Session = session,
        };
        _council.Apply(default, new OpenSession(session.Value, "", "", 1_000_000));
        var made = (SegmentResult)_council.Apply(
            new RequestId(session, 0, ++_request),
            new Allocate(session, 0, 2 * Layout.ExtentSize, (byte)_copies, SegmentFlags.None, default));
        if (made.Error != RumError.None) throw new SimulationException($"no segment: {made.Message}");
        _drivers[client] = endpoint;
        Route(client, _council.Machine.View);
        _clients.Add(new SimulatedClient(client, new SegmentHandle(made.Segment, made.Token, made.FirstShard, made.Flags), _random));
    }

    private void Route(PageClient client, ClusterView view)
    {
        if (_broken.HasFlag(BrokenReplica.LearnerNotAsked))
        {
            view = view with
            {
                Shards = [.. view.Shards.Select(shard => shard with { Replicas = [.. shard.Replicas.Where(replica => replica.State == ReplicaState.InSync)] })],
            };
        }
        if (client.ViewDecree >= view.Decree) return;
        client.SetRoutes(new ClientRoutes(
            new ShardMap(view), [.. view.Members.Select(member => new SiloRoute(member.Incarnation, _drivers[client], _world.Addresses[member.Endpoint]))]));
    }

    private void Decided()
    {
        ClusterView view = _council.Machine.View;
        if (view.Decree > _told)
        {
            _told = view.Decree;
            _world.Note("council", Shards());
            foreach (SimulatedSilo silo in _silos) silo.Tell(view);
            foreach (SimulatedClient client in _clients)
            {
                PageClient its = client.Client;
                _world.After(_world.ControlDelayNs() * _random.Next(1, 20), () => Offer(its, view));
            }
        }
        foreach (SimulatedSilo silo in _silos) silo.FetchDrops();
    }

    // Views may overtake each other on their way; the newest stays.
    private readonly Dictionary<PageClient, ulong> _offered = [];

    private void Offer(PageClient client, ClusterView view)
    {
        if (_offered.GetValueOrDefault(client) >= view.Decree) return;
        _offered[client] = view.Decree;
        Route(client, view);
    }

    private void Step()
    {
        _world.RunDue();
        foreach (SimulatedSilo silo in _silos) silo.Poll();
        foreach (SimulatedClient client in _clients) client.Step(_network.NowNs);
        foreach (SimulatedSilo silo in _silos) silo.Poll();
        if (++_steps % 8 == 0) Check();
        long next = Math.Min(_network.NextArrivalNs, _world.NextNs);
        foreach (SimulatedSilo silo in _silos) next = Math.Min(next, silo.NextNs);
        foreach (SimulatedClient client in _clients) next = Math.Min(next, client.NextDeadlineNs);
        _network.AdvanceTo(Math.Clamp(next, _network.NowNs + 2_000, _network.NowNs + 1_000_000));
    }

    private string Shards() => string.Join(", ", _council.Machine.View.Shards.Select((shard, i) => (shard, i)).Where(pair => pair.i >= RingShards)
        .Select(pair => $"{pair.i}@{pair.shard.Epoch}:{pair.shard.State}[{string.Join(' ', pair.shard.Replicas.Select(r => $"{r.Silo.Value}{(r.State == ReplicaState.Learning ? "L" : "")}"))}]"));
}
