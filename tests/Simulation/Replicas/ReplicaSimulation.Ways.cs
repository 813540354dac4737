using Rum.Core;
using Rum.Core.Council;
using Rum.FastPath.Client;
using Rum.FastPath.Drivers;
using Rum.FastPath.Drivers.Simulated;
using Rum.Simulation.Client;

namespace Rum.Simulation.Replicas;

/// <content>How clients reach the silos: over one end point for all, or in a quarter of the runs over a connection to each, which breaks now and then.</content>
internal sealed unsafe partial class ReplicaSimulation
{
    private readonly Dictionary<PageClient, ClientWays> _ways = [];

    private sealed class ClientWays
    {
        public IDriver? Common { get; set; }

        public Dictionary<Incarnation, Connection> Own { get; } = [];

        public bool Stale { get; set; }
    }

    /// <summary>The ways for a view. Those that it doesn't name are gone: the page client ends them.</summary>
    private ClientRoutes Routes(PageClient client, ClusterView view)
    {
        ClientWays ways = _ways[client];
        if (_broken.HasFlag(BrokenReplica.LearnerNotAsked))
        {
            view = view with
            {
                Shards = [.. view.Shards.Select(shard => shard with { Replicas = [.. shard.Replicas.Where(replica => replica.State == ReplicaState.InSync)] })],
            };
        }
        var routes = new List<SiloRoute>();
        bool common = false;
        foreach (Member member in view.Members)
        {
            if (member.State == MemberState.Left && _connects) continue;
            bool listens = _silos.Exists(silo => silo.Up && silo.Life == member.Incarnation);
            if (!_connects || !listens || (_random.Next(4) == 0 && !ways.Own.ContainsKey(member.Incarnation)))
            {
                common = true;
                ways.Common ??= Endpoint();
                routes.Add(new SiloRoute(member.Incarnation, ways.Common, _world.Addresses[member.Endpoint]));
                continue;
            }
            if (!ways.Own.TryGetValue(member.Incarnation, out Connection? own) || own.Disconnected)
            {
                ways.Own[member.Incarnation] = own = new Connection(Endpoint());
            }
            routes.Add(new SiloRoute(member.Incarnation, own, _world.Addresses[member.Endpoint]));
        }
        if (!common) ways.Common = null;
        foreach (Incarnation life in ways.Own.Keys.Where(life => !routes.Exists(route => route.Incarnation == life && route.Driver is Connection)).ToArray()) ways.Own.Remove(life);
        return new ClientRoutes(new ShardMap(view), routes);
    }

    private SimulatedDriver Endpoint()
    {
        SimulatedDriver endpoint = _network.CreateEndpoint();
        for (int other = 0; _calm && other < _endpoints; other++)
        {
            _network.SetLink(endpoint.Number, other, LinkSettings.Perfect);
            _network.SetLink(other, endpoint.Number, LinkSettings.Perfect);
        }
        _endpoints++;
        return endpoint;
    }

    /// <summary>A silo hung up, or a frame said that the view is old: the view is asked for, and where there is none newer, broken ways are made anew.</summary>
    private void ViewIsStale(PageClient client)
    {
        if (!_connects || !_ways.TryGetValue(client, out ClientWays? ways) || ways.Stale) return;
        ways.Stale = true;
        _world.After(_world.ControlDelayNs(), () =>
        {
            ways.Stale = false;
            if (!_ways.ContainsKey(client) || !_offered.TryGetValue(client, out ulong decree) || !ways.Own.Values.Any(static own => own.Disconnected)) return;
            client.SetRoutes(Routes(client, _views[decree]));
        });
    }

    private void BreakWays(Incarnation? life = null)
    {
        foreach (ClientWays ways in _ways.Values)
        {
            foreach ((Incarnation to, Connection own) in ways.Own)
                if (to == life || (life is null && _random.Next(4) == 0)) own.Break();
        }
    }
}
