using System.Runtime.InteropServices;
using Rum.Core;
using Rum.Core.Council;
using Rum.FastPath.Client;
using Rum.FastPath.Drivers;
using Rum.FastPath.Drivers.Simulated;
using Rum.FastPath.Server;

namespace Rum.Simulation.Pages;

/// <summary>
/// Clients and page servers over a bad network in one thread and virtual time, all from one seed. Each client owns a segment and writes, reads,
/// zeroes and trims few pages at random, many at once; a sequential memory says what a read may see. Wrong bytes throw.
/// </summary>
internal sealed unsafe class PageSimulation : IDisposable
{
    private const int RingShards = 8;

    private readonly SimulatedNetwork _network;
    private readonly List<PageServer> _servers = [];
    private readonly List<SimulatedClient> _clients = [];
    private readonly Random _random;

    /// <param name="seed">Decides everything.</param>
    /// <param name="breakServer">Wraps the servers' drivers: how a broken server is made.</param>
    /// <param name="breakClient">Wraps the clients' drivers: how a broken client is made.</param>
    public PageSimulation(int seed, Func<IDriver, IDriver>? breakServer = null, Func<IDriver, IDriver>? breakClient = null)
    {
        _random = new Random(seed);
        var link = new LinkSettings
        {
            Loss = 0.05,
            Duplication = 0.02,
            Reordering = 0.05,
            Corruption = 0.01,
            Truncation = 0.002,
            ReorderDelayNs = _random.Next(100_000, 8_000_000),
            DelayNsMin = 5_000,
            DelayNsMax = 40_000,
        };
        bool whole = breakServer != null || (breakClient == null && _random.Next(2) == 0);
        _network = new SimulatedNetwork(
            (ulong)seed, new SimulatedNetworkOptions { MaxPayload = whole ? Layout.PageSize : 1344, Link = link, UsesLanding = _random.Next(2) == 0 });
        int servers = _random.Next(1, 3), clients = _random.Next(1, 3);
        var silos = new List<(Incarnation Life, PeerAddress Address)>();
        for (int i = 0; i < servers; i++)
        {
            SimulatedDriver driver = _network.CreateEndpoint();
            var life = new Incarnation((ulong)_random.NextInt64(1, long.MaxValue));
            var pool = new PagePool(new PagePoolOptions { CapacityBytes = 4 << 20, SegmentsMax = 16, ExtentsMax = 64, ReserveFrames = 600 });
            _servers.Add(new PageServer(life, pool, [breakServer?.Invoke(driver) ?? driver]));
            silos.Add((life, driver.Address));
        }
        Member[] members = [.. silos.Select((s, i) => new Member(new SiloId((ushort)(i + 1)), $"silo{i}", s.Life, "", "", "", "", "", "", 1 << 30, false))];
        ShardView[] shards = [.. Enumerable.Range(0, RingShards).Select(i => new ShardView(
            1, ShardState.Served, [new Replica(members[i % servers].Id, members[i % servers].Incarnation, ReplicaState.InSync)]))];
        var view = new ClusterView(Guid.Empty, 1, 1, members, shards, RingShards);
        foreach (PageServer server in _servers) _ = server.SetViewAsync(view);
        for (int i = 0; i < clients; i++)
        {
            SimulatedDriver endpoint = _network.CreateEndpoint();
            IDriver driver = breakClient?.Invoke(endpoint) ?? endpoint;
            var client = new PageClient(new PageClientOptions { Requests = 32, AssembliesMax = 24, ResendNsMin = 300_000, ClockNs = () => _network.NowNs })
            {
                Session = new SessionId((ulong)i + 1),
            };
            client.SetRoutes(new ClientRoutes(new ShardMap(view), [.. silos.Select(s => new SiloRoute(s.Life, driver, s.Address))]));
            _clients.Add(new SimulatedClient(client, new SegmentId((ulong)i + 1), _random));
        }
    }

    /// <summary>Runs until every client has done its operations and everything is read back once more.</summary>
    /// <returns>Virtual nanoseconds that it took.</returns>
    public long Run(int operations)
    {
        foreach (SimulatedClient client in _clients) client.Operations = operations;
        const long limitNs = 60_000_000_000;
        long partitionUntil = 0;
        int cut = 0;
        while (_clients.Any(c => !c.Done))
        {
            if (_network.NowNs > limitNs) throw new SimulationException($"hangs: {string.Join("; ", _clients.Select(c => c.ToString()))}");
            foreach (PageServer server in _servers) server.Poll(_network.NowNs);
            foreach (SimulatedClient client in _clients) client.Step(_network.NowNs);
            if (partitionUntil != 0 && _network.NowNs >= partitionUntil)
            {
                partitionUntil = 0;
                Cut(cut, blocked: false);
            }
            else if (partitionUntil == 0 && _random.Next(2000) == 0)
            {
                cut = _random.Next(4);
                partitionUntil = _network.NowNs + _random.Next(1_000_000, 30_000_000);
                Cut(cut, blocked: true);
            }
            foreach (PageServer server in _servers) server.Poll(_network.NowNs);
            long next = Math.Min(_network.NextArrivalNs, _clients.Min(c => c.NextDeadlineNs));
            _network.AdvanceTo(Math.Clamp(next, _network.NowNs + 1_000, _network.NowNs + 1_000_000));
        }
        return _network.NowNs;
    }

    public void Dispose()
    {
        foreach (SimulatedClient client in _clients) client.Dispose();
        foreach (PageServer server in _servers) server.Dispose();
        _network.Dispose();
    }

    /// <summary>One direction between the first server and the last client.</summary>
    private void Cut(int which, bool blocked)
    {
        int server = which / 2 % _servers.Count, client = _servers.Count + _clients.Count - 1;
        (int from, int to) = which % 2 == 0 ? (server, client) : (client, server);
        if (blocked) _network.Block(from, to); else _network.Unblock(from, to);
    }
}

/// <summary>What the checkers throw; nothing else may come out of a run.</summary>
internal sealed class SimulationException(string message) : Exception(message);
