namespace Rum.Core.Paxos;

/// <content>Leading: one decree outstanding, beats, and the confirmation that nobody else leads.</content>
public sealed partial class PaxosMember
{
    private readonly Dictionary<ulong, Peer> _peers = [];
    private Outstanding? _outstanding;
    private ulong _sequence, _durable;
    private long _nextBeatNs, _resendAtNs;

    /// <summary>
    /// The last <see cref="Confirm"/> for which a majority has said since that it promised no newer ballot: what was asked before it may be answered from this state.
    /// </summary>
    public ulong Confirmed { get; private set; }

    /// <summary>Begins to have a value decided and returns its decree. Only when <see cref="CanPropose"/>. It may come to nothing: <see cref="IReplicated.Apply"/> says what is decided.</summary>
    public ulong Propose(byte[] value, long nowNs)
    {
        Invariant.Check(CanPropose);
        _nowNs = nowNs;
        Begin(value, inherited: false);
        return Chosen + 1;
    }

    /// <summary>Asks the council whether this is still the leader; <see cref="Confirmed"/> reaches the number returned when it is. 0: it isn't.</summary>
    public ulong Confirm(long nowNs)
    {
        _nowNs = nowNs;
        if (Role != PaxosRole.Leading) return 0;
        SendBeats();
        return _sequence;
    }

    /// <summary>When a seat last answered this leader, and what it had; false: not since it leads.</summary>
    public bool TryGetPeer(ulong seat, out long heardNs, out ulong chosen)
    {
        bool known = _peers.TryGetValue(seat, out Peer peer);
        (heardNs, chosen) = (peer.HeardNs, peer.Chosen);
        return known && Role == PaxosRole.Leading;
    }

    private void Lead()
    {
        Role = PaxosRole.Leading;
        _failures = 0;
        _leader = Seat;
        // Its own promise, which was durable first, came behind all its decrees.
        _durable = Chosen;
        _peers.Clear();
        foreach (ulong seat in _votes) _peers[seat] = new Peer { HeardNs = _nowNs, Chosen = Chosen };
        // Nothing accepted is known for this decree, but a member that wasn't heard may have something, and a later leader find it: decided are then things that were judged right
        // long ago. So the place is taken, by an empty value if need be, before anything is answered.
        Begin(_best ?? [], inherited: true);
    }

    private void Begin(byte[] value, bool inherited)
    {
        _outstanding = new Outstanding(Chosen + 1, value, inherited);
        _votes.Clear();
        _sequence++;
        SendProposal(Seat);
        foreach (ulong seat in _machine.Council)
        {
            if (seat != Seat) SendProposal(seat);
        }
        _resendAtNs = _nowNs + _options.ResendNs;
        _nextBeatNs = Math.Max(_nextBeatNs, _nowNs + _options.BeatNs);
    }

    private void SendProposal(ulong seat) => Send(seat, new Propose(_ballot, Chosen, _proof, _durable, _sequence, _outstanding!.Value), afterSync: false);

    private void SendBeats()
    {
        _sequence++;
        _nextBeatNs = _nowNs + _options.BeatNs;
        var beat = new Beat(_ballot, Chosen, _proof, _durable, _sequence);
        foreach (ulong seat in _machine.Council.Concat(Learners).Distinct())
        {
            if (seat != Seat) Send(seat, beat, afterSync: false);
        }
        CountConfirmed();
    }

    private void TickLeading()
    {
        if (_outstanding is not null && _nowNs >= _resendAtNs)
        {
            _resendAtNs = _nowNs + _options.ResendNs;
            foreach (ulong seat in _machine.Council)
            {
                if (seat != Seat && !_votes.Contains(seat)) SendProposal(seat);
            }
        }
        if (_nowNs < _nextBeatNs || Alone) return;
        SendBeats();
        if (!HasQuorum(_machine.Council.Where(seat => seat == Seat || (_peers.TryGetValue(seat, out Peer peer) && _nowNs - peer.HeardNs < _options.StepDownNs)))) Follow(0);
    }

    private void OnAccepted(ulong from, Accepted accepted)
    {
        if (Role != PaxosRole.Leading || accepted.Ballot != _ballot) return;
        if (from == Seat) _durable = accepted.Decree;
        Heard(from, accepted.Sequence, accepted.Decree - 1);
        if (_outstanding is not { } outstanding || accepted.Decree != outstanding.Decree) return;
        _votes.Add(from);
        if (HasQuorum(_votes)) Decide(outstanding);
    }

    private void Decide(Outstanding outstanding)
    {
        ulong[] before = [.. _machine.Council];
        _outstanding = null;
        _proof = _ballot;
        ApplyChosen(outstanding.Decree, outstanding.Value);
        if (_machine.Council.SequenceEqual(before)) return;
        // The next decree is the new council's to decide, and its promises are needed for that.
        if (IsMember) Prepare();
        else
        {
            SendBeats();
            Follow(0);
        }
    }

    private void OnBeatAnswer(ulong from, BeatAnswer answer)
    {
        if (Role != PaxosRole.Leading || answer.Ballot != _ballot) return;
        Heard(from, answer.Sequence, answer.Chosen);
        if (answer.Chosen < Chosen) return;
        // It lacked decrees when the proposal came, and has them now.
        if (_outstanding is not null && _nowNs < _resendAtNs && _machine.Council.Contains(from) && !_votes.Contains(from)) SendProposal(from);
    }

    private void Heard(ulong from, ulong sequence, ulong chosen)
    {
        if (from == Seat) return;
        _peers.TryGetValue(from, out Peer peer);
        _peers[from] = new Peer { HeardNs = _nowNs, Sequence = Math.Max(peer.Sequence, sequence), Chosen = Math.Max(peer.Chosen, chosen) };
        CountConfirmed();
    }

    private void CountConfirmed()
    {
        ulong highest = 0;
        foreach (ulong seat in _machine.Council)
        {
            ulong sequence = SequenceOf(seat);
            if (sequence > highest && HasQuorum(_machine.Council.Where(other => SequenceOf(other) >= sequence))) highest = sequence;
        }
        Confirmed = Math.Max(Confirmed, highest);
    }

    private ulong SequenceOf(ulong seat) => seat == Seat ? _sequence : _peers.TryGetValue(seat, out Peer peer) ? peer.Sequence : 0;

    private sealed record Outstanding(ulong Decree, byte[] Value, bool Inherited);

    private struct Peer
    {
        public long HeardNs;
        public ulong Sequence;
        public ulong Chosen;
    }
}
