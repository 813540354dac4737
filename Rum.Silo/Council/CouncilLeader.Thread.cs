using Rum.Core;
using Rum.Core.Council;
using Rum.Core.Sessions;
using Rum.Silo.Storage;

namespace Rum.Silo.Council;

/// <content>The thread: one round is one decree at most.</content>
public sealed partial class CouncilLeader
{
    private const long WaitMsMax = 60_000;

    private readonly List<Asked> _round = [];
    private readonly List<Proposal> _proposals = [];
    private readonly List<int> _places = [];
    private readonly List<Result> _results = [];
    private readonly List<(SessionId Session, ulong Counter)> _due = [];
    private readonly List<SiloId> _silent = [];
    private readonly byte[] _batch = new byte[1 << 20];

    private void Run()
    {
        try
        {
            while (Gather())
            {
                Renew();
                NoticeSilence();
                Propose();
                Decide();
                AnswerRound();
                if (_proposals.Count > 0) News?.Invoke();
                if (_store.LogBytes > CheckpointBytes) Checkpoint();
            }
            if (_store.LogBytes > 0) Checkpoint();
        }
        catch (Exception defect) when (defect is CouncilStoreException or InvariantViolationException)
        {
            LogFailed(defect);
            _failed(defect);
        }
    }

    /// <summary>Waits for requests, or for the next lease or silo that is due; false when it is time to stop. Sleeps without a spin: an idle council costs nothing.</summary>
    private bool Gather()
    {
        _round.Clear();
        long lease = _leases.NextDueNs();
        if (lease != long.MaxValue) lease += (long)ExpiryGrace.TotalNanoseconds;
        long due = Math.Min(lease, _silence.NextDueNs());
        lock (_door)
        {
            while (_asked.Count == 0 && !_closed)
            {
                long wait = due == long.MaxValue ? WaitMsMax : Math.Min((due - _nowNs()) / 1_000_000 + 1, WaitMsMax);
                if (wait <= 0) break;
                Monitor.Wait(_door, (int)wait);
            }
            while (_round.Count < BatchMax && _asked.TryDequeue(out Asked next)) _round.Add(next);
            return _round.Count > 0 || !_closed;
        }
    }

    // Before expiry is looked at, so that a heartbeat that arrived in time but waited in the queue still saves its session.
    private void Renew()
    {
        long now = _nowNs();
        foreach (Asked asked in _round)
        {
            SessionId session = asked.Request switch
            {
                Heartbeat beat => beat.Session,
                CommandRequest { Command: not Expire } command => command.Command.Speaker,
                _ => default,
            };
            if (session.Value != 0) _leases.Renew(session, now);
            if (asked.Request is not RenewLeases batch) continue;
            foreach (SessionId one in batch.Sessions) _leases.Renew(one, now);
        }
    }

    private long GracefulNow() => _nowNs() - (long)ExpiryGrace.TotalNanoseconds;

    private void NoticeSilence()
    {
        _silence.Forget(OwnSilo);
        _silence.Notice(_nowNs(), _silent);
        foreach (SiloId silo in _silent)
        {
            LogSilent(NameOf(silo), SilenceTable.NoticeNs / 1_000_000_000);
            Journal.Silent(NameOf(silo));
        }
    }

    private string NameOf(SiloId silo) => _machine.View.Members.FirstOrDefault(m => m.Id == silo)?.Name ?? silo.ToString();

    private void Hear(SiloHeartbeat beat)
    {
        if (!_silence.Hear(beat.Silo, _nowNs())) return;
        LogHeardAgain(NameOf(beat.Silo));
        Journal.HeardAgain(NameOf(beat.Silo));
    }

    // The machine knows no time: how long each silo is silent is added here.
    private CouncilAnswer AddSilence(StatusAnswer answer)
    {
        long now = _nowNs();
        return answer with
        {
            Status = answer.Status with
            {
                Members = [.. answer.Status.Members.Select(m => m with { SilentMs = _silence.SilentNs(m.Member.Id, now) / 1_000_000 })],
            },
        };
    }

    private void Propose()
    {
        _proposals.Clear();
        _places.Clear();
        foreach (Asked asked in _round)
        {
            if (asked.Request is JudgeLeases judge) ProposeExpiry(judge);
            if (asked.Request is not CommandRequest request) continue;
            Command command = request.Command is OpenSession { LeaseMs: 0 } open ? open with { LeaseMs = _leaseMs } : request.Command;
            _places.Add(_proposals.Count);
            _proposals.Add(new Proposal(request.Id, command));
        }
        long now = GracefulNow();
        _leases.Due(now, _due);
        foreach ((SessionId session, ulong counter) in _due)
        {
            if (_leases.IsDue(session, counter, now)) _proposals.Add(new Proposal(default, new Expire(session, counter)));
        }
    }

    // Two may judge the same session in one round: the second expiry finds it ended, which changes nothing.
    private void ProposeExpiry(JudgeLeases judge)
    {
        long now = _nowNs();
        foreach (LeaseMark mark in judge.Marks)
        {
            if (_leases.IsDue(mark.Session, mark.Counter, now)) _proposals.Add(new Proposal(default, new Expire(mark.Session, mark.Counter)));
        }
    }

    private LeasesAnswer Leases(IEnumerable<SessionId> sessions) =>
        new(RumError.None, "", _machine.Decree, _machine.ViewDecree, [.. sessions.Select(_leases.CounterOf)]);

    private void Decide()
    {
        _results.Clear();
        if (_proposals.Count == 0) return;
        ulong decree = _store.LastDecree + 1;
        int length = BatchCodec.Encode(_batch, _proposals);
        long before = _nowNs();
        _store.Append(decree, _batch.AsSpan(0, length));
        _counters.SyncNs += _nowNs() - before;
        foreach (Proposal proposal in _proposals)
        {
            ulong view = _machine.ViewDecree;
            Result result = _machine.Apply(decree, proposal);
            _results.Add(result);
            KeepLeases(proposal.Command, result);
            Journal.Decided(decree, proposal.Command, result, _machine.ViewDecree != view);
            if (_machine.ViewDecree == view) continue;
            LogMembers(proposal.Command, result);
            Journal.Seen(decree, _machine.View);
        }
        _counters.Decrees++;
        _counters.Commands += _proposals.Count;
        _counters.Decree = decree;
        _counters.LogBytes = _store.LogBytes;
        _counters.Sessions = _leases.Count;
    }

    private void KeepLeases(Command command, Result result)
    {
        switch (command)
        {
            case OpenSession when result is SessionResult { Error: RumError.None } opened:
                _leases.Grant(opened.Session, opened.LeaseMs * 1_000_000L, _nowNs());
                LogSessionOpened(opened.Session.Value, ((OpenSession)command).ClientName, opened.LeaseMs);
                break;
            case CloseSession close when result.Error == RumError.None && _leases.Remove(close.Session):
                LogSessionClosed(close.Session.Value);
                break;
            case Expire expire when _leases.Remove(expire.Session):
                _counters.SessionsExpired++;
                LogSessionExpired(expire.Session.Value);
                break;
        }
    }

    private void LogMembers(Command command, Result result)
    {
        if (command is Join join && result is JoinResult { Error: RumError.None } joined)
        {
            LogJoined(join.Silo.Name, joined.Silo.Value, join.Silo.Incarnation.ToString());
            _silence.Hear(joined.Silo, _nowNs());
        }
        if (command is Leave leave) LogLeft(leave.Silo.Value);
        foreach (Member member in _machine.View.Members)
        {
            if (member.State != MemberState.Up) _silence.Forget(member.Id);
        }
    }

    private void AnswerRound()
    {
        int decided = 0;
        foreach (Asked asked in _round)
        {
            if (asked.Request is CommandRequest)
            {
                asked.Answer(new CommandAnswer(RumError.None, "", _machine.Decree, _machine.ViewDecree, _results[_places[decided++]]));
                continue;
            }
            _counters.Queries++;
            if (asked.Request is RenewLeases or JudgeLeases)
            {
                asked.Answer(Leases(asked.Request is RenewLeases renew ? renew.Sessions : ((JudgeLeases)asked.Request).Marks.Select(static mark => mark.Session)));
                continue;
            }
            CouncilAnswer answer = _machine.Query(asked.Request);
            if (asked.Request is SiloHeartbeat beat && answer.Error == RumError.None) Hear(beat);
            asked.Answer(answer is StatusAnswer status ? AddSilence(status) : answer);
        }
    }

    private void Checkpoint()
    {
        _store.WriteCheckpoint(CouncilSnapshot.Encode(_machine));
        _counters.Checkpoints++;
        _counters.LogBytes = _store.LogBytes;
    }

    private static CouncilMachine Recover(ICouncilStore store)
    {
        CouncilMachine? machine;
        if (store.Checkpoint.Bytes.Length == 0) machine = new CouncilMachine(store.ClusterId, store.Generation);
        else if (!CouncilSnapshot.TryDecode(store.Checkpoint.Bytes, out machine))
            throw new CouncilStoreException($"the checkpoint of decree {store.Checkpoint.Decree} is whole, but this build can't read its state; start the version that wrote it");
        foreach (StoredDecree batch in store.Batches)
        {
            List<Proposal> proposals = BatchCodec.Decode(batch.Bytes)
                ?? throw new CouncilStoreException($"decree {batch.Decree} is whole, but this build can't read its commands; start the version that wrote it");
            foreach (Proposal proposal in proposals) machine.Apply(batch.Decree, proposal);
        }
        return machine;
    }
}
