using Rum.Core;
using Rum.Core.Council;
using Rum.Core.Sessions;

namespace Rum.Silo.Council;

/// <content>The leader's own memory: leases, and what it adds to the status.</content>
public sealed partial class CouncilLeader
{
    private void Renew()
    {
        long now = _nowNs();
        foreach (Asked asked in _round)
        {
            if (IsForeign(asked)) continue;
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

    // What nobody else proposed in its time, the leader does.
    private void ProposeExpiry(long now)
    {
        _leases.Due(now - (long)ExpiryGrace.TotalNanoseconds, _due);
        foreach ((SessionId session, ulong counter) in _due) _proposals.Add(new Proposal(default, new Expire(session, counter)));
    }

    // Answered when none of its sessions is due any more: ended by then, or renewed. Two may judge the same session in one decree: the second expiry finds
    // it ended, which changes nothing.
    private void ProposeJudged(long now)
    {
        for (int i = 0; i < _judges.Count; i++)
        {
            int before = _proposals.Count;
            foreach (LeaseMark mark in ((JudgeLeases)_judges[i].Request).Marks)
            {
                if (_leases.IsDue(mark.Session, mark.Counter, now)) _proposals.Add(new Proposal(default, new Expire(mark.Session, mark.Counter)));
            }
            if (_proposals.Count > before) continue;
            AnswerQuery(_judges[i]);
            _judges.RemoveAt(i--);
        }
    }

    private LeasesAnswer Leases(IEnumerable<SessionId> sessions) =>
        new(RumError.None, "", _machine.Decree, _machine.ViewDecree, [.. sessions.Select(_leases.CounterOf)]);

    private string NameOf(SiloId silo) => _machine.View.Members.FirstOrDefault(m => m.Id == silo)?.Name ?? silo.ToString();

    // The machine knows no time and no network: how long each silo is silent, and how the council is doing, is added here.
    private CouncilAnswer AddKnowledge(StatusAnswer answer)
    {
        long now = _nowNs(), observed = ObservedNs;
        return answer with
        {
            Status = answer.Status with
            {
                Members = [.. answer.Status.Members.Select(m => m with { SilentMs = (_silence.SilentNs(m.Member.Id, observed) + 999_999) / 1_000_000 })],
                Council = [.. _machine.CouncilSeats().Select(seat => Describe(seat, now))],
            },
        };
    }

    private SeatStatus Describe(CouncilSeat seat, long now)
    {
        if (seat.Seat == Seat) return new SeatStatus(seat, true, 0, _core.Chosen);
        bool known = _core.TryGetPeer(seat.Seat, out long heard, out ulong chosen);
        return new SeatStatus(seat, false, (now - (known ? heard : _leadsSinceNs)) / 1_000_000, chosen);
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
            _silence.Expect(joined.Silo, join.Silo.Incarnation, ObservedNs);
        }
        if (command is Leave leave) LogLeft(leave.Silo.Value);
        if (command is Suspect suspect)
        {
            LogSuspected(NameOf(suspect.Silo));
            // Also where an operator said so: it must speak again before it is given anything. The own silo has spoken by deciding this: doubted, it would be suspected and taken back for ever.
            if (suspect.Silo != OwnSilo) _silence.Doubt(suspect.Silo, suspect.Incarnation, ObservedNs);
        }
        foreach (Member member in _machine.View.Members)
        {
            if (member.State == MemberState.Left) _silence.Forget(member.Id);
        }
    }
}
