using Rum.Core;
using Rum.Core.Council;
using Rum.Core.Paxos;
using Rum.Silo.Storage;

namespace Rum.Silo.Council;

/// <content>A turn: what came in, what it means, what must be durable, what goes out.</content>
public sealed partial class CouncilLeader
{
    private const long WaitMsMax = 60_000;

    // After so many turns with one request each, who asks is taken to be alone.
    private const int AloneMin = 8;

    private readonly List<Asked> _round = [];
    private readonly List<PaxosEnvelope> _mail = [];
    private readonly Dictionary<ulong, string> _addresses = [];
    private readonly byte[] _message = new byte[PaxosCodec.BytesMax];
    private readonly TimeHistogram _syncs = new();
    private bool _leading;
    private ulong _newsOf, _viewOf;

    // Guarded by the door: somebody has the turn; the seat's own thread waits for its end, not for what is due; a defect has ended this seat; when the last turn said that something is due; turns on end with one request.
    private bool _taken, _waitsForTurn, _ended;
    private long _dueNs;
    private int _alone;

    private void Run()
    {
        while (WaitForTurn()) TakeTurn();
        if (!_ended) Guard(Finish);
    }

    private void Finish()
    {
        if (_store.LogBytes > 0 && _core.Chosen > 0) Checkpoint();
        Dismiss();
    }

    /// <summary>Waits for requests and messages, or for what is due; false when it is time to stop. Sleeps without a spin: an idle council costs nothing.</summary>
    private bool WaitForTurn()
    {
        while (true)
        {
            long wait;
            lock (_door)
            {
                wait = _taken || _dueNs == long.MaxValue ? WaitMsMax : Math.Min((_dueNs - _nowNs()) / 1_000_000 + 1, WaitMsMax);
                if (!_taken && (_asked.Count > 0 || _letters.Count > 0 || _closed || _ended || HasNewsOfTheSilent || wait <= 0))
                    return !_ended && (_asked.Count > 0 || !_closed) && TryTakeTurn();
                _sleeps = true;
                _waitsForTurn = _taken;
            }
            _bell.WaitOne((int)wait);
        }
    }

    /// <summary>Takes the turn, if nobody has it, with all that waits. Inside the door.</summary>
    private bool TryTakeTurn()
    {
        if (_taken || _ended) return false;
        _taken = true;
        if (_asked.Count > 0) _alone = _asked.Count == 1 ? Math.Min(_alone + 1, AloneMin) : 0;
        while (_round.Count < BatchMax && _asked.TryDequeue(out Asked next)) _round.Add(next);
        while (_letters.TryDequeue(out PaxosEnvelope? letter)) _mail.Add(letter);
        return true;
    }

    /// <summary>Does what there is to do for those who have come, and gives the turn back. What has come meanwhile is the seat's own thread's. False: a defect has ended the seat.</summary>
    private bool TakeTurn()
    {
        bool well = Guard(Work);
        _round.Clear();
        _mail.Clear();
        long due = Math.Min(_core.NextDueNs, LeaderDueNs());
        bool ring;
        lock (_door)
        {
            bool sooner = due < _dueNs;
            (_dueNs, _taken) = (due, false);
            _ended |= !well;
            ring = (sooner || _waitsForTurn || _ended || _closed || _asked.Count > 0 || _letters.Count > 0 || HasNewsOfTheSilent) && MustRing();
        }
        if (ring) _bell.Set();
        return well;
    }

    private void Work()
    {
        foreach (PaxosEnvelope letter in _mail)
        {
            _addresses[letter.From] = letter.Address;
            _core.Receive(letter.From, letter.Life, letter.Message, _nowNs());
        }
        Step();
    }

    // Whatever it was: a seat whose state may be half changed must not go on, on whoever's thread it happened.
    private bool Guard(Action work)
    {
        try
        {
            work();
            return true;
        }
        catch (Exception defect)
        {
            LogFailed(defect);
            _failed(defect);
            return false;
        }
    }

    /// <summary>
    /// Whether the thread must be woken; by <see cref="_bell"/>, after the door is open: woken inside it, it would only wait for the door. Not while somebody has the turn, who looks whether
    /// more has come. Inside the door.
    /// </summary>
    private bool MustRing()
    {
        if (_taken || !_sleeps) return false;
        _sleeps = false;
        return true;
    }

    private void Step()
    {
        _core.Tick(_nowNs());
        if (_core.Disowned)
        {
            throw new CouncilStoreException(
                $"this seat ({Seat:x16}) has forgotten what it had promised to the other council members: its data directory was put back from a copy, or another process runs "
                + "with a copy of it. Nothing was changed by it. Move the directory away and start the silo with an empty one: it joins as a new member.");
        }
        Watch();
        TakeRound();
        bool more = true;
        while (more)
        {
            Serve();
            SendOut(durable: false);
            bool wrote = _core.Writes.Count > 0;
            if (wrote) Persist();
            SendOut(durable: true);
            _core.Synced(_nowNs());
            Watch();
            more = wrote || _core.Outbox.Count > 0 || _core.Writes.Count > 0 || _core.AwaitsSync;
        }
        if (_core.Chosen != _newsOf)
        {
            // Also what was chosen by a message that came before this step.
            _newsOf = _core.Chosen;
            News?.Invoke(_machine.ViewDecree == _viewOf ? CouncilNews.Decrees : CouncilNews.View);
            _viewOf = _machine.ViewDecree;
        }
        if (_store.LogBytes > CheckpointBytes && _core.Chosen > 0) Checkpoint();
    }

    private void SendOut(bool durable)
    {
        if (_link is not null)
        {
            foreach (Outgoing outgoing in _core.Outbox)
            {
                if (outgoing.AfterSync && !durable) continue;
                if (AddressOf(outgoing.To) is not { Length: > 0 } address) continue;
                int length = PaxosCodec.Encode(_message, new PaxosEnvelope(ClusterId, Generation, Seat, outgoing.To, _core.Life, _link.Own, outgoing.Message));
                Invariant.Check(length > 0);
                _link.Send(address, _message.AsSpan(0, length));
            }
        }
        if (durable) _core.Outbox.Clear();
        else _core.Outbox.RemoveAll(static outgoing => !outgoing.AfterSync);
    }

    // Where a seat wrote from last, else where its silo is.
    private string AddressOf(ulong seat)
    {
        if (_addresses.TryGetValue(seat, out string? address)) return address;
        foreach (CouncilSeat known in _machine.CouncilSeats())
        {
            if (known.Seat == seat) return known.Endpoint;
        }
        return "";
    }

    private void Persist()
    {
        long before = _nowNs();
        // A state that replaces decrees is written as a checkpoint, which holds everything else that was to be written too.
        if (_core.Writes.Exists(static record => record is InstallRecord)) Checkpoint();
        else _store.Append(_core.Writes);
        _core.Writes.Clear();
        long took = _nowNs() - before;
        _counters.SyncNs += took;
        _syncs.Add(took);
        _counters.LogBytes = _store.LogBytes;
    }

    private void Checkpoint()
    {
        _store.Replace(_core.Chosen, CouncilSnapshot.Encode(_machine), _core.Remainder());
        _counters.Checkpoints++;
        _counters.LogBytes = _store.LogBytes;
    }

    /// <summary>The state machine as the log's core sees it.</summary>
    private sealed class Replicated(CouncilLeader host) : IReplicated
    {
        private bool _restored;

        // Without a state it has no council, whatever an empty machine says.
        public IReadOnlyList<ulong> Council => _restored ? host._machine.Council : [];

        public void Apply(ulong decree, byte[] value) => host.Apply(decree, value);

        public byte[] Capture() => CouncilSnapshot.Encode(host._machine);

        public void Restore(ulong decree, byte[] state)
        {
            if (!CouncilSnapshot.TryDecode(state, out CouncilMachine? machine))
                throw new CouncilStoreException($"the state of decree {decree} is whole, but this build can't read it; start the version that wrote it");
            Invariant.Check(machine.ClusterId == host.ClusterId);
            host._machine = machine;
            Volatile.Write(ref host._frameGeneration, machine.FrameGeneration);
            _restored = true;
        }
    }
}
