using Rum.Core;
using Rum.Core.Council;
using Rum.Core.Paxos;
using Rum.Core.Sessions;
using Rum.Silo.Storage;

namespace Rum.Silo.Council;

/// <content>What the leader does: batches commands, answers, keeps leases, notices silence, and looks after the council itself.</content>
public sealed partial class CouncilLeader
{
    // A member that is away for so long gives way to another silo that has a disk.
    private const long AwayNs = 10_000_000_000;
    private const long PlanNs = 500_000_000;
    private const long AnsweringNs = 1_000_000_000;
    private const ulong BehindMax = 64;
    private const int OwnPerBatch = 32;

    private readonly List<Asked> _commands = [];
    private readonly List<(Asked Asked, ulong Confirm)> _reads = [];
    private readonly List<Asked> _judges = [];
    private readonly List<Proposal> _proposals = [];
    private readonly List<(SessionId Session, ulong Counter)> _due = [];
    private readonly byte[] _batch = new byte[BatchCodec.BytesMax];
    private byte[]? _proposed;
    private List<Asked> _proposedBy = [];
    private long _planAtNs, _leadsSinceNs;

    // An expiry is being decided: nobody is told meanwhile that his heartbeat was in time.
    private bool _expiring;

    private long LeaderDueNs()
    {
        if (!_leading) return long.MaxValue;
        long lease = _leases.NextDueNs();
        if (lease != long.MaxValue) lease += (long)ExpiryGrace.TotalNanoseconds;
        long due = Math.Min(lease, SilenceDueNs());
        return _link is null || _machine.CouncilSeats().Count < 2 ? due : Math.Min(due, _planAtNs);
    }

    /// <summary>Looks whether leadership came or went.</summary>
    private void Watch()
    {
        if (_core.Ready == _leading)
        {
            if (!_leading && _core.Role is PaxosRole.Following or PaxosRole.Canvassing) Dismiss();
            return;
        }
        if (_core.Ready)
        {
            long now = _nowNs();
            // Nobody could renew while there was no leader: everyone gets a full lease, and nobody is silent yet.
            _leases = new LeaseTable();
            foreach (SessionId session in _machine.Sessions)
            {
                if (_machine.TryGetLease(session, out int its)) _leases.Grant(session, its * 1_000_000L, now);
            }
            ExpectAll();
            _doubtAgain = true;
            _leadsSinceNs = now;
            _planAtNs = now;
            _counters.Elections++;
            LogLeads(_core.Chosen, _core.Promised.Round, _leases.Count);
        }
        else if (_core.Role is PaxosRole.Following or PaxosRole.Canvassing)
        {
            LogLeadsNoMore(_core.Chosen);
            Dismiss();
        }
        Volatile.Write(ref _leading, _core.Ready);
        News?.Invoke(CouncilNews.View);
    }

    /// <summary>Sends everybody to the leader, as far as there is one. What was proposed may be decided all the same: the same request there finds its result.</summary>
    private void Dismiss()
    {
        if (_commands.Count == 0 && _reads.Count == 0 && _judges.Count == 0 && _proposed is null) return;
        CouncilAnswer answer = NotLeader();
        foreach (Asked asked in _proposedBy) asked.Answer(answer);
        foreach (Asked asked in _commands) asked.Answer(answer);
        foreach ((Asked asked, _) in _reads) asked.Answer(answer);
        foreach (Asked asked in _judges) asked.Answer(answer);
        _proposed = null;
        _proposedBy = [];
        _expiring = false;
        _commands.Clear();
        _reads.Clear();
        _judges.Clear();
    }

    private CouncilAnswer NotLeader() =>
        new(RumError.NotLeader, _core.Leader == 0 || _core.Leader == Seat ? "" : AddressOf(_core.Leader), _machine.Decree, _machine.ViewDecree);

    private void TakeRound()
    {
        if (_core.Role is PaxosRole.Following or PaxosRole.Canvassing)
        {
            if (_round.Count == 0) return;
            CouncilAnswer answer = NotLeader();
            foreach (Asked asked in _round) asked.Answer(answer);
            return;
        }
        if (_leading)
        {
            // Before expiry is looked at, so that a heartbeat that arrived in time but waited in the queue still saves its session.
            Renew();
            NoticeSilence();
        }
        ulong confirm = 0;
        foreach (Asked asked in _round)
        {
            if (asked.Request is CommandRequest && !IsForeign(asked)) _commands.Add(asked);
            else if (_leading && !IsForeign(asked) && MayBeOld(asked.Request)) AnswerQuery(asked);
            else
            {
                // Others might have another leader by now: only a majority can say that there is none.
                if (confirm == 0) confirm = _leading ? _core.Confirm(_nowNs()) : 0;
                if (confirm == 0) confirm = ulong.MaxValue;
                _reads.Add((asked, confirm));
            }
        }
    }

    /// <summary>What is true enough when others have another leader already. That a session is over isn't: they may have opened it.</summary>
    private bool MayBeOld(CouncilRequest request) => request switch
    {
        GetView get => get.Session.Value == 0 || _machine.IsOpen(get.Session),
        GetDrops or SiloHeartbeat or DoubtSilo => true,
        _ => false,
    };

    /// <summary>Answers what may be answered, and proposes what waits.</summary>
    private void Serve()
    {
        if (!_leading) return;
        for (int i = 0; i < _reads.Count; i++)
        {
            // Asked while the leadership was not complete.
            if (_reads[i].Confirm == ulong.MaxValue) _reads[i] = (_reads[i].Asked, _core.Confirm(_nowNs()));
            if (_reads[i].Confirm > _core.Confirmed || (_expiring && _reads[i].Asked.Request is Heartbeat or RenewLeases)) continue;
            if (_reads[i].Asked.Request is JudgeLeases && !IsForeign(_reads[i].Asked)) _judges.Add(_reads[i].Asked);
            else AnswerQuery(_reads[i].Asked);
            _reads.RemoveAt(i--);
        }
        if (_core.CanPropose) Propose();
    }

    private void Propose()
    {
        _proposals.Clear();
        // Some places are left for what the leader itself has to propose.
        foreach (Asked asked in _commands.Take(BatchMax - OwnPerBatch))
        {
            var request = (CommandRequest)asked.Request;
            Command command = request.Command is OpenSession { LeaseMs: 0 } open ? open with { LeaseMs = _leaseMs } : request.Command;
            _proposals.Add(new Proposal(request.Id, command));
        }
        long now = _nowNs();
        ProposeJudged(now);
        ProposeExpiry(now);
        ProposeDoubts();
        if (PlanCouncil(now) is { } change) _proposals.Add(new Proposal(default, change));
        if (_proposals.Count == 0) return;
        byte[] value = BatchCodec.Encode(_batch, _proposals, BatchMax, out int taken);
        int asking = Math.Min(taken, Math.Min(_commands.Count, BatchMax - OwnPerBatch));
        _proposedBy = _commands.GetRange(0, asking);
        _commands.RemoveRange(0, asking);
        _proposed = value;
        _expiring = _proposals.GetRange(0, taken).Exists(static proposal => proposal.Command is Expire);
        _core.Propose(value, now);
    }

    private void Apply(ulong decree, byte[] value)
    {
        List<Proposal> proposals = BatchCodec.Decode(value)
            ?? throw new CouncilStoreException($"decree {decree} is whole, but this build can't read its commands; start the version that wrote it");
        List<Asked> asked = _proposedBy;
        if (!value.AsSpan().SequenceEqual(_proposed))
        {
            // Another value was decided where the own one stood: what that held waits anew.
            _commands.InsertRange(0, asked);
            asked = [];
        }
        (_proposed, _proposedBy) = (null, []);
        _expiring = false;
        for (int i = 0; i < proposals.Count; i++)
        {
            ulong view = _machine.ViewDecree;
            Result result = _machine.Apply(decree, proposals[i]);
            if (_leading) Tell(decree, proposals[i].Command, result, _machine.ViewDecree != view);
            if (i < asked.Count) asked[i].Answer(new CommandAnswer(RumError.None, "", _machine.Decree, _machine.ViewDecree, result));
        }
        Volatile.Write(ref _frameGeneration, _machine.FrameGeneration);
        _counters.Decrees++;
        _counters.Commands += proposals.Count;
        _counters.Decree = decree;
        _counters.Sessions = _leases.Count;
    }

    private void Tell(ulong decree, Command command, Result result, bool viewChanged)
    {
        KeepLeases(command, result);
        Journal.Decided(decree, command, result, viewChanged);
        if (!viewChanged) return;
        LogMembers(command, result);
        Journal.Seen(decree, _machine.View);
    }

    /// <summary>Whether the asker belongs to another cluster, or to this one before a restore: its numbers of sessions and segments mean something else here.</summary>
    private bool IsForeign(Asked asked) => asked.Generation != 0 && asked.Generation != _machine.FrameGeneration;

    private void AnswerQuery(Asked asked)
    {
        _counters.Queries++;
        if (IsForeign(asked))
        {
            asked.Answer(new CouncilAnswer(
                RumError.SessionExpired,
                $"the silos belong to cluster {ClusterId}{(_machine.Generation > 1 ? $", generation {_machine.Generation}" : "")} now, and this session to another cluster, or to the time before a "
                + "restore or recovery of this one. Nothing was read or changed. Its memory is gone; open a new session.",
                0, 0));
            return;
        }
        if (asked.Request is CommandRequest)
        {
            // It was foreign to what this leader knew before it was confirmed.
            _commands.Add(asked);
            return;
        }
        if (asked.Request is RenewLeases or JudgeLeases)
        {
            asked.Answer(Leases(asked.Request is RenewLeases renew ? renew.Sessions : ((JudgeLeases)asked.Request).Marks.Select(static mark => mark.Session)));
            return;
        }
        CouncilAnswer answer = _machine.Query(asked.Request);
        if (asked.Request is SiloHeartbeat beat && answer.Error == RumError.None) Hear(beat);
        if (asked.Request is DoubtSilo doubt && answer.Error == RumError.None) Doubt(doubt);
        asked.Answer(answer is StatusAnswer status ? AddKnowledge(status) : answer);
    }

    /// <summary>A better council than the one in force, if there is one; at most twice a second.</summary>
    private ChangeCouncil? PlanCouncil(long now)
    {
        if (_link is null || now < _planAtNs) return null;
        _planAtNs = now + PlanNs;
        IReadOnlyList<CouncilSeat> seats = _machine.CouncilSeats();
        ulong[] learners = [.. seats.Where(static seat => !seat.Seated).Select(static seat => seat.Seat)];
        if (!learners.SequenceEqual(_core.Learners)) _core.Learners = learners;
        if (seats.Count < 2) return null;
        var answering = new List<ulong> { Seat };
        var away = new List<ulong>();
        foreach (CouncilSeat seat in seats)
        {
            if (seat.Seat == Seat) continue;
            bool known = _core.TryGetPeer(seat.Seat, out long heard, out ulong chosen);
            if (known && now - heard < AnsweringNs && chosen + BehindMax >= _core.Chosen) answering.Add(seat.Seat);
            if (seat.Seated && now - (known ? heard : _leadsSinceNs) >= AwayNs) away.Add(seat.Seat);
        }
        ulong[]? next = CouncilPlan.Next(_machine.Council, _machine.CouncilMax, answering, away);
        if (next is null) return null;
        LogCouncil(string.Join(", ", next.Select(NameOfSeat)));
        return new ChangeCouncil(_machine.CouncilSince, next);
    }

    private string NameOfSeat(ulong seat) => _machine.CouncilSeats().FirstOrDefault(s => s.Seat == seat) is { Silo.Value: > 0 } known ? NameOf(known.Silo) : $"seat {seat:x16}";
}
