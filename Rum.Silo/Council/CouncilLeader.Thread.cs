using Rum.Core;
using Rum.Core.Council;
using Rum.Core.Paxos;
using Rum.Silo.Storage;

namespace Rum.Silo.Council;

/// <content>The thread: what came in, what it means, what must be durable, what goes out.</content>
public sealed partial class CouncilLeader
{
    private const long WaitMsMax = 60_000;

    private readonly List<Asked> _round = [];
    private readonly List<PaxosEnvelope> _mail = [];
    private readonly Dictionary<ulong, string> _addresses = [];
    private readonly byte[] _message = new byte[PaxosCodec.BytesMax];
    private bool _leading;
    private ulong _newsOf;

    private void Run()
    {
        try
        {
            Step();
            while (Gather())
            {
                foreach (PaxosEnvelope letter in _mail)
                {
                    _addresses[letter.From] = letter.Address;
                    _core.Receive(letter.From, letter.Life, letter.Message, _nowNs());
                }
                Step();
            }
            if (_store.LogBytes > 0 && _core.Chosen > 0) Checkpoint();
            Dismiss();
        }
        catch (Exception defect) when (defect is CouncilStoreException or InvariantViolationException)
        {
            LogFailed(defect);
            _failed(defect);
        }
    }

    /// <summary>Waits for requests and messages, or for what is due; false when it is time to stop. Sleeps without a spin: an idle council costs nothing.</summary>
    private bool Gather()
    {
        _round.Clear();
        _mail.Clear();
        long due = Math.Min(_core.NextDueNs, LeaderDueNs());
        while (true)
        {
            long wait = due == long.MaxValue ? WaitMsMax : Math.Min((due - _nowNs()) / 1_000_000 + 1, WaitMsMax);
            lock (_door)
            {
                if (_asked.Count > 0 || _letters.Count > 0 || _closed || HasNewsOfTheSilent || wait <= 0)
                {
                    while (_round.Count < BatchMax && _asked.TryDequeue(out Asked next)) _round.Add(next);
                    while (_letters.TryDequeue(out PaxosEnvelope? letter)) _mail.Add(letter);
                    return _round.Count > 0 || !_closed;
                }
                _sleeps = true;
            }
            _bell.WaitOne((int)wait);
        }
    }

    /// <summary>Whether the thread must be woken; by <see cref="_bell"/>, after the door is open: woken inside it, it would only wait for the door. Inside the door.</summary>
    private bool MustRing()
    {
        bool sleeps = _sleeps;
        _sleeps = false;
        return sleeps;
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
            News?.Invoke();
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
        _counters.SyncNs += _nowNs() - before;
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
