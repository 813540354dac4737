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
    FencesOneSilo = 8,
    LevelsNothing = 16,
    TakesLowerEpoch = 32,
    LearnerTakesNoToken = 64,
}

/// <summary>
/// Silos with several copies of each page, and clients that write to them and read beside the writers, over a bad network, while silos crash, restart at once, stand
/// still, are taken for dead wrongly, drain and come back, and writers die or are cut off and others take over. All from one seed, in virtual time; the council decides
/// at once, and everybody hears of it late. After every eighth step it is looked up whether each replica in sync has what was acknowledged.
/// </summary>
internal sealed unsafe partial class ReplicaSimulation : IDisposable
{
    private const int RingShards = 8;
    private const long LimitNs = 120_000_000_000;

    private readonly World _world;
    private readonly SimulatedNetwork _network;
    private readonly SimulatedCouncil _council;
    private readonly List<SimulatedSilo> _silos = [];
    private readonly List<Succession> _segments = [];
    private readonly Dictionary<PageClient, IDriver> _drivers = [];
    private readonly Dictionary<ulong, ClusterView> _views = [];
    private readonly BrokenReplica _broken;
    private readonly Random _random;
    private readonly int _copies;
    private ulong _told;
    private bool _calm;
    private uint _request;
    private ulong _sessions;
    private int _endpoints;
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
                Defect = broken.HasFlag(BrokenReplica.TrimForgets) ? ReplicaDefect.TrimForgetsItsVersion
                    : broken.HasFlag(BrokenReplica.LearnerTakesNoToken) ? ReplicaDefect.LearnerTakesNoToken : ReplicaDefect.None,
                KeepsIdentity = broken.HasFlag(BrokenReplica.RestartKeepsIdentity),
            });
            _silos[i].Start();
        }
        _endpoints = silos;
        while (_council.Machine.View.Members.Count < silos) Step();
        for (int i = 0; i < 2; i++) _segments.Add(Create((UInt128)(i + 1)));
    }

    public EventTrace Trace => _world.Trace;

    /// <summary>Segments that changed hands, and pages that had to be levelled then.</summary>
    public (long Successions, long Levelled) Changes { get; private set; }

    /// <summary>Runs until every client has done its operations, and everything is quiet and looked through.</summary>
    public long Run(int operations)
    {
        foreach (Succession segment in _segments) segment.Writer.Operations = operations;
        while (!_segments.TrueForAll(static segment => segment.Writer.Done && segment.Opening == null))
        {
            if (_network.NowNs > LimitNs) throw new SimulationException($"hangs: {string.Join("; ", _segments)}; {Shards()}");
            if (!_calm && _segments.TrueForAll(static segment => segment.Writer.Operations == 0 && segment.Opening == null)) BeCalm();
            if (!_calm) Trouble();
            Step();
        }
        Settle();
        CheckEqual();
        return _network.NowNs;
    }

    public void Dispose()
    {
        foreach (Succession segment in _segments) segment.Dispose();
        foreach (SimulatedSilo silo in _silos) silo.Dispose();
        _network.Dispose();
    }

    private PageClient Connect(SessionId session)
    {
        SimulatedDriver endpoint = _network.CreateEndpoint();
        _endpoints++;
        var client = new PageClient(new PageClientOptions
        {
            Requests = 32,
            AssembliesMax = 24,
            ResendNsMin = 300_000,
            ReadElsewhereNs = 2_000_000,
            ClockNs = () => _network.NowNs,
            ViewIsStale = () => { },
            Defect = _broken.HasFlag(BrokenReplica.FencesOneSilo) ? TakeOverDefect.FencesOneSilo
                : _broken.HasFlag(BrokenReplica.LevelsNothing) ? TakeOverDefect.LevelsNothing : TakeOverDefect.None,
        })
        {
            Session = session,
        };
        _drivers[client] = endpoint;
        Route(client, _council.Machine.View);
        return client;
    }

    private void Route(PageClient client, ClusterView view)
    {
        if (!_drivers.ContainsKey(client)) return;
        if (_broken.HasFlag(BrokenReplica.LearnerNotAsked))
        {
            view = view with
            {
                Shards = [.. view.Shards.Select(shard => shard with { Replicas = [.. shard.Replicas.Where(replica => replica.State == ReplicaState.InSync)] })],
            };
        }
        if (client.ViewDecree >= view.Decree && !_broken.HasFlag(BrokenReplica.TakesLowerEpoch)) return;
        client.SetRoutes(new ClientRoutes(
            new ShardMap(view), [.. view.Members.Select(member => new SiloRoute(member.Incarnation, _drivers[client], _world.Addresses[member.Endpoint]))]));
    }

    private void Decided()
    {
        ClusterView view = _council.Machine.View;
        if (view.Decree > _told)
        {
            _told = view.Decree;
            _views[view.Decree] = view;
            _world.Note("council", Shards());
            foreach (SimulatedSilo silo in _silos) silo.Tell(view);
            foreach (PageClient client in _segments.SelectMany(static segment => segment.Clients))
            {
                _world.After(_world.ControlDelayNs() * _random.Next(1, 20), () => Offer(client, view));
                if (_broken.HasFlag(BrokenReplica.TakesLowerEpoch)) _world.After(_random.Next(1_000_000, 40_000_000), () => Offer(client, view));
            }
        }
        foreach (SimulatedSilo silo in _silos) silo.FetchDrops();
    }

    // Views may overtake each other on their way; the newest stays.
    private readonly Dictionary<PageClient, ulong> _offered = [];

    private void Offer(PageClient client, ClusterView view)
    {
        if (_offered.GetValueOrDefault(client) >= view.Decree)
        {
            if (!_broken.HasFlag(BrokenReplica.TakesLowerEpoch)) return;
            _world.After(_random.Next(1_000_000, 20_000_000), () => Route(client, _council.Machine.View));
        }
        else
        {
            _offered[client] = view.Decree;
        }
        Route(client, view);
    }

    private void Step()
    {
        _world.RunDue();
        foreach (SimulatedSilo silo in _silos) silo.Poll();
        foreach (Succession segment in _segments) segment.Step(_network.NowNs);
        foreach (SimulatedSilo silo in _silos) silo.Poll();
        if (++_steps % 8 == 0) Check();
        long next = Math.Min(_network.NextArrivalNs, _world.NextNs);
        foreach (SimulatedSilo silo in _silos) next = Math.Min(next, silo.NextNs);
        foreach (Succession segment in _segments) next = Math.Min(next, segment.NextDeadlineNs);
        _network.AdvanceTo(Math.Clamp(next, _network.NowNs + 2_000, _network.NowNs + 1_000_000));
    }

    private string Shards() => string.Join(", ", _council.Machine.View.Shards.Select((shard, i) => (shard, i)).Where(pair => pair.i >= RingShards)
        .Select(pair => $"{pair.i}@{pair.shard.Epoch}:{pair.shard.State}[{string.Join(' ', pair.shard.Replicas.Select(r => $"{r.Silo.Value}{(r.State == ReplicaState.Learning ? "L" : "")}"))}]"));
}
