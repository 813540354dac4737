using Rum.Core;
using Rum.Core.Paxos;
using Rum.Core.Sessions;

namespace Rum.Simulation.Paxos;

/// <summary>What a leading member knows of leases: the real table, and the rules of its host. Nothing of it survives the end of the leadership.</summary>
internal sealed class MemberLeases(PaxosWorld world)
{
    private readonly List<(int Client, ulong Session, ulong Confirm, Action<bool> Answer)> _beats = [];
    private readonly List<(SessionId Session, ulong Counter)> _due = [];
    private LeaseTable? _table;
    private ulong _expiringIn;

    private BrokenLeases Broken => world.Broken?.Leases ?? BrokenLeases.None;

    public void Clear()
    {
        _table = null;
        _expiringIn = 0;
        _beats.Clear();
    }

    public void Beat(PaxosMember core, Ledger ledger, int client, ulong session, Action<bool> answer)
    {
        Follow(ledger);
        if (Broken != BrokenLeases.UnconditionalTimer) _table!.Renew(new SessionId(session), world.NowNs);
        _beats.Add((client, session, Broken == BrokenLeases.AnswersUnconfirmed ? 0 : core.Confirm(world.NowNs), answer));
    }

    /// <summary>Answers what may be answered.</summary>
    public void Answer(PaxosMember core, Ledger ledger)
    {
        if (_expiringIn <= core.Chosen) _expiringIn = 0;
        if (_expiringIn != 0 && Broken != BrokenLeases.AnswersWhileExpiring) return;
        for (int i = _beats.Count - 1; i >= 0; i--)
        {
            (int client, ulong session, ulong confirm, Action<bool> answer) = _beats[i];
            if (confirm > core.Confirmed) continue;
            _beats.RemoveAt(i);
            answer(ledger.Sessions.GetValueOrDefault(client) == session);
        }
    }

    /// <summary>What is to be proposed now.</summary>
    public IEnumerable<Request> Expiries(PaxosMember core, Ledger ledger)
    {
        Follow(ledger);
        _table!.Due(world.NowNs, _due);
        foreach ((SessionId session, ulong counter) in _due)
        {
            if (!_table.IsDue(session, counter, world.NowNs)) continue;
            int client = ledger.Sessions.First(s => s.Value == session.Value).Key;
            _expiringIn = core.Chosen + 1;
            yield return new Request(client, Request.Expire, [session.Value], []);
        }
    }

    public long NextDueNs => _table?.NextDueNs() ?? long.MaxValue;

    // Leases of the sessions that there are: a new leader, or a new session, begins with a full one.
    private void Follow(Ledger ledger)
    {
        bool begins = _table is null;
        _table ??= new LeaseTable();
        foreach (ulong session in ledger.Sessions.Values)
        {
            if (_table.CounterOf(new SessionId(session)) != 0) continue;
            _table.Grant(new SessionId(session), begins && Broken == BrokenLeases.NewLeaderGrantsNothing ? 1 : Chronicle.LeaseNs, world.NowNs);
        }
        var open = ledger.Sessions.Values.ToHashSet();
        _table.Due(long.MaxValue, _due);
        foreach ((SessionId session, _) in _due)
        {
            if (!open.Contains(session.Value)) _table.Remove(session);
        }
    }
}
