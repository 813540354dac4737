using Rum.Core;
using Rum.Core.Council;

namespace Rum.FastPath.Client;

/// <content>From page to silo, and what happens when that changes.</content>
public sealed unsafe partial class PageClient
{
    private ClientRoutes? _offered;
    private ClientRoutes? _routes;
    private ClientPort[] _ports = [];
    private ClientPeer?[] _peers = [];
    private short[] _peerOfMember = [];
    private long _staleViewReports;
    private bool _staleReported;

    /// <summary>
    /// Hands over new routes; they are in force from the next <see cref="Poll"/> on. Any thread. Drivers that the last routes named and these don't are
    /// disposed by the owner's thread then.
    /// </summary>
    public void SetRoutes(ClientRoutes routes) => Volatile.Write(ref _offered, routes);

    /// <summary>How often a view turned out to be out of date; it goes on rising while requests rest for that. Any thread.</summary>
    public long StaleViewReports => Volatile.Read(ref _staleViewReports);

    /// <summary>The decree of the view in force, 0 before the first. Any thread.</summary>
    public ulong ViewDecree => Volatile.Read(ref _routes)?.Map.Decree ?? 0;

    private void AdoptRoutes()
    {
        ClientRoutes? routes = Volatile.Read(ref _offered);
        if (routes == null || ReferenceEquals(routes, _routes)) return;
        ClientPort[] oldPorts = _ports;
        ClientPeer?[] oldPeers = _peers;
        var ports = new List<ClientPort>();
        var peers = new ClientPeer?[routes.Silos.Count];
        for (int i = 0; i < peers.Length; i++)
        {
            SiloRoute silo = routes.Silos[i];
            ClientPort? port = ports.Find(p => ReferenceEquals(p.Driver, silo.Driver)) ?? Array.Find(oldPorts, p => ReferenceEquals(p.Driver, silo.Driver));
            port ??= new ClientPort(silo.Driver);
            if (!ports.Contains(port)) ports.Add(port);
            peers[i] = Array.Find(oldPeers, p => p != null && p.Incarnation == silo.Incarnation && p.Port == port && p.Address == silo.Peer)
                ?? new ClientPeer(silo.Incarnation, port, silo.Peer, _options);
        }
        var peerOfMember = new short[routes.Map.View.Members.Count];
        for (int i = 0; i < peerOfMember.Length; i++)
        {
            Incarnation life = routes.Map.View.Members[i].Incarnation;
            peerOfMember[i] = (short)Array.FindIndex(peers, p => p!.Incarnation == life);
        }
        // Every request leaves its list while the old peers still stand, and is routed anew below.
        for (int i = 0; i < Capacity + FenceSlots; i++)
        {
            if (_slots[i].State is not (RequestState.Queued or RequestState.Sent or RequestState.Fencing)) continue;
            ClientPeer? keep = _slots[i].Peer >= 0 ? oldPeers[_slots[i].Peer] : null;
            if (_slots[i].Kind == RequestKind.Fence)
            {
                int fence = _fences.Find(_slots[i].Segment, keep!.Incarnation.Value);
                if (fence >= 0) _fences[fence] = default;
                End(i);
                continue;
            }
            Park(i);
        }
        _ports = [.. ports];
        _peers = peers;
        _peerOfMember = peerOfMember;
        Volatile.Write(ref _routes, routes);
        _staleReported = false;
        foreach (ClientPort port in oldPorts)
        {
            if (ports.Contains(port)) continue;
            TakeBackLanding(port);
            port.Dispose();
        }
        RetryParked(long.MaxValue);
    }

    /// <summary>Finds the silo for a request and queues it there; parks it where there is none now.</summary>
    private void Route(int index)
    {
        RequestSlot* slot = _slots + index;
        ClientRoutes? routes = _routes;
        if (routes == null)
        {
            Park(index);
            return;
        }
        ShardMap map = routes.Map;
        ShardId shard = map.ShardOfPage(new ShardId(slot->FirstShard), slot->Flags, (long)slot->Page);
        ref readonly ShardPlace place = ref map.Place(shard);
        slot->Shard = shard.Value;
        slot->Epoch = place.Epoch;
        if (place.State == ShardState.Lost)
        {
            Fail(index, PageStatus.Lost);
            return;
        }
        int peer = place.Member >= 0 ? _peerOfMember[place.Member] : -1;
        if (peer < 0 || _peers[peer]!.Incarnation != place.Incarnation)
        {
            Park(index);
            ReportStaleView();
            return;
        }
        slot->Peer = peer;
        if (slot->Kind is RequestKind.Write or RequestKind.Trim && !EnsureFence(index)) return;
        Enqueue(index);
    }

    private void Enqueue(int index)
    {
        RequestSlot* slot = _slots + index;
        ClientPeer peer = _peers[slot->Peer]!;
        Detach(index);
        if (peer.Queue.First < 0 && HasCredit(peer, slot->Cost) && Send(peer, index, resend: false)) return;
        slot->State = RequestState.Queued;
        Append(ref peer.Queue, index);
    }

    private static bool HasCredit(ClientPeer peer, int cost) => peer.InFlight == 0 || peer.InFlight + cost <= peer.Credits;

    /// <summary>A silo refused because one of us is behind: rest, tell the control thread, try again.</summary>
    private void Reroute(int index)
    {
        _counters.Rerouted++;
        Park(index);
        ReportStaleView();
    }

    private void ReportStaleView()
    {
        if (_staleReported) return;
        _staleReported = true;
        Volatile.Write(ref _staleViewReports, _staleViewReports + 1);
        _options.ViewIsStale?.Invoke();
    }

    private void RetryParked(long nowNs)
    {
        // Only those parked before this call: who is parked again goes to the end, and says again that the view is out of date.
        int last = _parked.Last;
        for (bool more = last >= 0; more;)
        {
            int index = _parked.First;
            if (nowNs != long.MaxValue && nowNs - _slots[index].SentNs < _options.ParkNs) return;
            more = index != last;
            _staleReported = false;
            Detach(index);
            Route(index);
        }
    }
}
