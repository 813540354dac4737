namespace Rum.Core.Paxos;

/// <content>Promising and accepting, and recognising who speaks.</content>
public sealed partial class PaxosMember
{
    private readonly SortedDictionary<ulong, Witness> _witnesses = [];
    private readonly SortedSet<ulong> _unwritten = [];

    /// <summary>
    /// Whether a message is of the present life of its seat, and that life remembers what its seat has said. Else the sender is told, should it be alive.
    /// </summary>
    private bool Recognize(ulong from, Life life, PaxosMessage message)
    {
        bool known = _witnesses.TryGetValue(from, out Witness seen);
        if (known && life.Start <= seen.Start && (life.Start < seen.Start || life.Nonce != seen.Nonce))
        {
            Outbox.Add(new Outgoing(from, new Disown(life), AfterSync: false));
            return false;
        }
        if (known && life.Start > seen.Start && !_rules.Remembers(life, seen))
        {
            Outbox.Add(new Outgoing(from, new Disown(life), AfterSync: false));
            return false;
        }
        Witness now = known && life.Start == seen.Start ? seen : new Witness(life.Start, life.Nonce, life.Promised, life.Decree);
        (Ballot ballot, ulong decree) = message switch
        {
            Promise it => (it.Ballot, 0UL),
            Accepted it => (it.Ballot, it.Decree),
            LeaderMessage it => (it.Ballot, it.Durable),
            _ => default,
        };
        now = now with { Promised = Ballot.Max(now.Promised, ballot), Decree = Math.Max(now.Decree, decree) };
        if (known && now == seen) return true;
        _witnesses[from] = now;
        _unwritten.Add(from);
        return true;
    }

    /// <summary>What was seen of others needs no sync of its own: it becomes durable with the next thing that does.</summary>
    private void Write(PaxosRecord record)
    {
        foreach (ulong seat in _unwritten) Writes.Add(new WitnessRecord(seat, _witnesses[seat]));
        _unwritten.Clear();
        Writes.Add(record);
    }

    private void OnPrepare(ulong from, Prepare prepare)
    {
        if (!_rules.MayPromise(_promised, prepare.Ballot) || Chosen > prepare.Chosen)
        {
            Send(from, new Refuse(prepare.Ballot, _promised, Chosen), afterSync: false);
            return;
        }
        if (prepare.Ballot != _promised)
        {
            if (from != Seat) Follow(0);
            _promised = prepare.Ballot;
            Write(new PromiseRecord(_promised));
        }
        _electAtNs = _nowNs + Patience();
        CatchUp(from, prepare);
        ulong decree = prepare.Chosen + 1;
        // What was accepted for an earlier decree is decided already, by others: the asker knows it.
        AcceptRecord? accepted = _accepted is { } record && record.Decree == decree ? record : null;
        Send(from, new Promise(prepare.Ballot, decree, accepted?.Ballot ?? default, accepted?.Value), afterSync: true);
    }

    private void OnPropose(ulong from, Propose propose)
    {
        if (!HearLeader(from, propose)) return;
        ulong decree = propose.Chosen + 1;
        // Lacking the one before, it can't say in its log that that one is decided: fetched first, and this comes again.
        if (decree != Chosen + 1 || _blank) return;
        if (_accepted is not { } last || last.Decree != decree || last.Ballot != propose.Ballot)
        {
            _promised = Ballot.Max(_promised, propose.Ballot);
            _accepted = new AcceptRecord(decree, propose.Ballot, propose.Value);
            Write(_accepted);
        }
        Send(from, new Accepted(propose.Ballot, decree, propose.Sequence), afterSync: true);
    }

    private void OnBeat(ulong from, Beat beat)
    {
        if (!HearLeader(from, beat)) return;
        Send(from, new BeatAnswer(beat.Ballot, beat.Sequence, Chosen), afterSync: true);
    }

    /// <summary>False: a newer ballot is promised, or more is decided here; the sender is told.</summary>
    private bool HearLeader(ulong from, LeaderMessage message)
    {
        if (!_rules.MayAccept(_promised, message.Ballot) || Chosen > message.Chosen)
        {
            Send(from, new Refuse(message.Ballot, _promised, Chosen), afterSync: false);
            return false;
        }
        if (from == Seat) return true;
        if (message.Ballot > _promised)
        {
            // Elected without this member: its ballot binds it all the same.
            _promised = message.Ballot;
            Write(new PromiseRecord(_promised));
        }
        Follow(from);
        CatchUp(from, message);
        return true;
    }
}
