namespace Rum.Core.Paxos;

/// <content>Who leads: silence, canvass, ballot.</content>
public sealed partial class PaxosMember
{
    private readonly HashSet<ulong> _votes = [];
    private ulong _leader;
    private long _leaderHeardNs = long.MinValue / 2;
    private long _electAtNs;
    private ulong _attempt, _roundSeen;
    private int _failures;
    private Ballot _ballot;
    private Ballot _bestIn;
    private byte[]? _best;

    private bool HasQuorum(IEnumerable<ulong> seats) => seats.Count(_machine.Council.Contains) >= _rules.Quorum(_machine.Council.Count);

    private long Patience()
    {
        long spread = _options.ElectionNs << Math.Min(_failures, 4);
        return _options.ElectionNs + (_random(1000) * (spread / 1000));
    }

    private void Follow(ulong leader)
    {
        Role = PaxosRole.Following;
        _outstanding = null;
        _leader = leader;
        if (leader != 0)
        {
            _leaderHeardNs = _nowNs;
            _failures = 0;
        }
        _electAtNs = _nowNs + Patience();
    }

    private void TickElection()
    {
        if (!IsMember)
        {
            // Nobody leads that this one hears of. The council may not know that it is the council: an attempt that can't win says how far things are.
            Follow(0);
            foreach (ulong seat in _machine.Council) Send(seat, new Canvass(0, Chosen), afterSync: false);
            return;
        }
        if (Role != PaxosRole.Following)
        {
            // Neither enough answers nor a refusal: somebody else may try meanwhile.
            _failures++;
            Follow(0);
            return;
        }
        Role = PaxosRole.Canvassing;
        _leader = 0;
        _attempt++;
        _votes.Clear();
        _votes.Add(Seat);
        _electAtNs = _nowNs + _options.ElectionNs;
        foreach (ulong seat in _machine.Council)
        {
            if (seat != Seat) Send(seat, new Canvass(_attempt, Chosen), afterSync: false);
        }
        if (HasQuorum(_votes)) Prepare();
    }

    private void OnCanvass(ulong from, Canvass canvass)
    {
        bool led = Role == PaxosRole.Leading || _nowNs - _leaderHeardNs < _options.ElectionNs / 2;
        Send(from, new CanvassAnswer(canvass.Attempt, !led && canvass.Chosen >= Chosen, Chosen), afterSync: false);
        if (canvass.Chosen > Chosen) FetchFrom(from);
    }

    private void OnCanvassAnswer(ulong from, CanvassAnswer answer)
    {
        if (answer.Chosen > Chosen) FetchFrom(from);
        if (Role != PaxosRole.Canvassing || answer.Attempt != _attempt || !answer.Yes) return;
        _votes.Add(from);
        if (HasQuorum(_votes)) Prepare();
    }

    private void Prepare()
    {
        Role = PaxosRole.Preparing;
        _leader = 0;
        _outstanding = null;
        _ballot = new Ballot(Math.Max(_promised.Round, _roundSeen) + 1, Seat);
        _votes.Clear();
        _bestIn = default;
        _best = null;
        var prepare = new Prepare(_ballot, Chosen, _proof, Chosen);
        // The own promise first, and durable before anybody hears of the ballot: after a crash it must not be opened a second time.
        Send(Seat, prepare, afterSync: false);
        foreach (ulong seat in _machine.Council)
        {
            if (seat != Seat) Send(seat, prepare, afterSync: true);
        }
        _electAtNs = _nowNs + _options.ElectionNs;
    }

    private void OnPromise(ulong from, Promise promise)
    {
        if (Role != PaxosRole.Preparing || promise.Ballot != _ballot || promise.Decree != Chosen + 1) return;
        if (promise.Accepted is not null && _rules.MustAdopt(promise.AcceptedIn, _bestIn)) (_bestIn, _best) = (promise.AcceptedIn, promise.Accepted);
        _votes.Add(from);
        if (HasQuorum(_votes)) Lead();
    }

    private void OnRefuse(ulong from, Refuse refuse)
    {
        if (refuse.Chosen > Chosen) FetchFrom(from);
        if (Role is not (PaxosRole.Preparing or PaxosRole.Leading) || refuse.Ballot != _ballot) return;
        if (refuse.Promised > _ballot)
        {
            // So that the next attempt is above it. It is no promise: that would have to be durable.
            _roundSeen = Math.Max(_roundSeen, refuse.Promised.Round);
            if (Role == PaxosRole.Preparing) _failures++;
            Follow(0);
        }
        else if (refuse.Chosen > Chosen && Role == PaxosRole.Preparing)
        {
            Follow(0);
        }
    }
}
