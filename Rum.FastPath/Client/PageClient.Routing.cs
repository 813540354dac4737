using Rum.Core;
using Rum.Core.Council;
using Rum.FastPath.Drivers;

namespace Rum.FastPath.Client;

/// <content>From page to silo, and what happens when that changes.</content>
public sealed unsafe partial class PageClient
{
    private readonly Lock _handover = new();
    private readonly List<ClientRoutes> _skipped = [];
    private ClientRoutes? _offered;
    private ClientRoutes? _routes;
    private ClientPort[] _ports = [];
    private ClientPeer?[] _peers = [];
    private short[] _peerOfMember = [];
    private readonly WireBytes _retired = new();
    private long _staleViewReports;
    private bool _staleReported;

    /// <summary>
    /// Hands over new routes; they are in force from the next <see cref="Poll"/> on. Any thread. Drivers that earlier routes named and these don't are
    /// disposed by the owner's thread then.
    /// </summary>
    public void SetRoutes(ClientRoutes routes)
    {
        lock (_handover)
        {
            // Two before one Poll: the first never comes into force, but its drivers are ours to end.
            if (_offered is not null && !ReferenceEquals(_offered, _routes)) _skipped.Add(_offered);
            Volatile.Write(ref _offered, routes);
        }
    }

    /// <summary>How often a view turned out to be out of date; it goes on rising while requests rest for that. Any thread.</summary>
    public long StaleViewReports => Volatile.Read(ref _staleViewReports);

    /// <summary>The decree of the view in force, 0 before the first. Any thread.</summary>
    public ulong ViewDecree => Volatile.Read(ref _routes)?.Map.Decree ?? 0;

    /// <summary>Bytes that went over the drivers of one kind ("udp", "shm") since the start, headers included. Any thread.</summary>
    public (long Sent, long Received) BytesOver(string driver)
    {
        (long sent, long received) = _retired.Of(driver);
        foreach (ClientPort port in Volatile.Read(ref _ports))
        {
            if (port.Driver.Traits.Name != driver) continue;
            DriverCounters counters = port.Driver.Counters;
            sent += counters.BytesSent;
            received += counters.BytesReceived;
        }
        return (sent, received);
    }

    /// <summary>A silo that hung up is told at once, so that whoever makes the routes connects anew.</summary>
    private void LookAfter(ClientPort port)
    {
        if (port.Hung || !port.Driver.Disconnected) return;
        port.Hung = true;
        _staleReported = false;
        ReportStaleView();
    }

    private void AdoptRoutes()
    {
        ClientRoutes? routes;
        ClientRoutes[] skipped;
        lock (_handover)
        {
            routes = _offered;
            if (routes == null || ReferenceEquals(routes, _routes)) return;
            skipped = [.. _skipped];
            _skipped.Clear();
        }
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
        Move(routes, peers, peerOfMember);
        _ports = [.. ports];
        LandingBuffers = Math.Min(ports.Count(static port => port.UsesLanding) * ClientPort.Burst, _landing.Length);
        _peers = peers;
        _peerOfMember = peerOfMember;
        Volatile.Write(ref _routes, routes);
        _anyReplicated = false;
        for (int i = 0; i < routes.Map.ShardCount && !_anyReplicated; i++) _anyReplicated = routes.Map.Place(new ShardId((ushort)i)).Count > 1;
        _staleReported = false;
        foreach (ClientPort port in oldPorts)
        {
            if (ports.Contains(port)) continue;
            TakeBackLanding(port);
            _retired.Add(port.Driver);
            port.Dispose();
        }
        foreach (ClientRoutes never in skipped)
        {
            foreach (SiloRoute silo in never.Silos)
            {
                if (!ports.Exists(p => ReferenceEquals(p.Driver, silo.Driver)) && !Array.Exists(oldPorts, p => ReferenceEquals(p.Driver, silo.Driver))) silo.Driver.Dispose();
            }
        }
        RetryParked(long.MaxValue);
    }

    /// <summary>
    /// Requests whose place didn't change stay where they are, in their silo's lists under its new number: what is on its way isn't sent again.
    /// The others leave their lists while the old peers still stand, and are routed anew.
    /// </summary>
    private void Move(ClientRoutes routes, ClientPeer?[] peers, short[] peerOfMember)
    {
        // Fences first: a write that waits for one can only stay if it does.
        for (int i = Capacity; i < Capacity + FenceSlots; i++)
        {
            RequestSlot* slot = _slots + i;
            if (slot->State is not (RequestState.Queued or RequestState.Sent)) continue;
            ClientPeer old = _peers[slot->Peer]!;
            if (slot->TakesOver)
            {
                MoveQuestion(i, old, peers);
                continue;
            }
            int stays = PeerThatStays(slot, routes, peers, peerOfMember);
            if (stays >= 0)
            {
                slot->Peer = stays;
                continue;
            }
            int fence = _fences.Find(slot->Segment, old.Incarnation.Value);
            if (fence >= 0) _fences[fence] = default;
            End(i);
        }
        for (int i = 0; i < Capacity; i++)
        {
            RequestSlot* slot = _slots + i;
            if (slot->State == RequestState.Spread)
            {
                // One epoch for all replicas: in another one all must acknowledge anew.
                if (!Stands(slot, routes)) Park(i);
                else for (int leg = slot->FirstLeg; leg >= 0; leg = _slots[leg].NextLeg) MoveRequest(leg, routes, peers, peerOfMember);
            }
            else
            {
                MoveRequest(i, routes, peers, peerOfMember);
            }
        }
    }

    private void MoveRequest(int index, ClientRoutes routes, ClientPeer?[] peers, short[] peerOfMember)
    {
        RequestSlot* slot = _slots + index;
        if (slot->State == RequestState.Direct) Park(index);
        if (slot->State is not (RequestState.Queued or RequestState.Sent or RequestState.Fencing)) return;
        int stays = PeerThatStays(slot, routes, peers, peerOfMember);
        if (stays >= 0 && slot->State == RequestState.Fencing)
        {
            int fence = _fences.Find(slot->Segment, peers[stays]!.Incarnation.Value);
            if (fence < 0 || !_fences[fence].Asking) stays = -1;
        }
        if (stays < 0) Park(index);
        else slot->Peer = stays;
    }

    private bool Stands(RequestSlot* slot, ClientRoutes routes)
    {
        if (_routes is null || routes.Map.RingShards != _routes.Map.RingShards) return false;
        ref readonly ShardPlace place = ref routes.Map.Place(new ShardId(slot->Shard));
        return place.State == ShardState.Served && place.Epoch == slot->Epoch;
    }

    /// <summary>The number, in the new routes, of the peer that a request is at, if its shard is still served there in the same epoch; else -1.</summary>
    private int PeerThatStays(RequestSlot* slot, ClientRoutes routes, ClientPeer?[] peers, short[] peerOfMember)
    {
        if (!Stands(slot, routes)) return -1;
        ref readonly ShardPlace place = ref routes.Map.Place(new ShardId(slot->Shard));
        for (int i = 0; i < (slot->Kind == RequestKind.Read ? place.InSync : place.Count); i++)
        {
            ref readonly ReplicaPlace replica = ref routes.Map.Replica(place, i);
            int peer = replica.Member >= 0 ? peerOfMember[replica.Member] : -1;
            if (peer >= 0 && ReferenceEquals(peers[peer], _peers[slot->Peer]) && peers[peer]!.Incarnation == replica.Incarnation) return peer;
        }
        return -1;
    }

    /// <inheritdoc/>
    public int SiloOf(in SegmentHandle segment, long page)
    {
        ClientRoutes? routes = _routes;
        if (routes is null) return 0;
        int member = routes.Map.Place(routes.Map.ShardOfPage(segment.FirstShard, segment.Flags, page)).Member;
        // Shards without a silo have the last number for themselves.
        return member < 0 ? IPageChannel.SilosMax - 1 : member % (IPageChannel.SilosMax - 1);
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
        if (slot->Parent >= 0)
        {
            RouteLeg(index);
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
        if (place.Count > 1 && slot->Kind is (RequestKind.Write or RequestKind.Trim))
        {
            Spread(index, place);
            return;
        }
        bool named = slot->From != 0 && IsInSync(place, slot->From);
        slot->Others = place.InSync > 1 && !named;
        int peer = slot->Others ? ReadPeer(slot, place) : named ? PeerWith(slot->From) : place.Member >= 0 ? _peerOfMember[place.Member] : -1;
        if (peer < 0 || (!slot->Others && !named && _peers[peer]!.Incarnation != place.Incarnation))
        {
            Park(index);
            ReportStaleView();
            return;
        }
        slot->Peer = peer;
        if (slot->Token != 0 && !EnsureFence(index)) return;
        if (!BeginDirect(index)) Enqueue(index);
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
        // A leg rests alone: what its sisters acknowledge in this epoch counts.
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
