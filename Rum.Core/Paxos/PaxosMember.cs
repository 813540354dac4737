namespace Rum.Core.Paxos;

/// <summary>
/// A seat of the council: multi-decree Paxos with one decree outstanding. Pure: messages and time come in, messages and durable records go out, randomness
/// is an argument. One thread.
/// </summary>
/// <remarks>
/// The host's part, after each call: send the <see cref="Outbox"/> that needs no sync; write <see cref="Writes"/> and make them durable; call <see cref="Synced"/>;
/// send the rest; again until there is nothing left (<see cref="Synced"/> may say more).
/// Invariant: the record of a decree is in the log, with its decided value, before anything is accepted for the next one. So the log alone says what is
/// decided, but for its last decree.
/// Source: L. Lamport, "Paxos Made Simple" (2001); one decree at a time makes a change of the council an ordinary decree.
/// </remarks>
public sealed partial class PaxosMember
{
    private readonly IReplicated _machine;
    private readonly PaxosOptions _options;
    private readonly PaxosRules _rules;
    private readonly Func<int, int> _random;
    private readonly List<(ulong Decree, byte[] Value)> _kept = [];
    private readonly List<PaxosMessage> _toSelf = [];
    private Ballot _promised;
    private AcceptRecord? _accepted;
    private Ballot _proof;
    private bool _blank;
    private long _nowNs;

    /// <summary>A member as its disk remembers it; <paramref name="machine"/> is brought to the last decree that is known to be decided.</summary>
    /// <param name="seat">Its number, not 0, drawn when its disk was made.</param>
    /// <param name="start">How often it has started, this time included; durable already.</param>
    /// <param name="nonce">Drawn at this start.</param>
    /// <param name="disk">What was found.</param>
    /// <param name="machine">The state machine, as it is before any decree.</param>
    /// <param name="nowNs">Monotonic nanoseconds, here and everywhere.</param>
    /// <param name="random">A number from 0 to its argument, exclusive.</param>
    /// <param name="options">Times.</param>
    /// <param name="rules">The judgements.</param>
    public PaxosMember(
        ulong seat, ulong start, ulong nonce, PaxosDisk disk, IReplicated machine, long nowNs, Func<int, int> random, PaxosOptions? options = null, PaxosRules? rules = null)
    {
        Invariant.Check(seat != 0);
        Seat = seat;
        _machine = machine;
        _options = options ?? new PaxosOptions();
        _rules = rules ?? new PaxosRules();
        _random = random;
        _nowNs = nowNs;
        Recover(disk);
        ulong last = _accepted?.Decree ?? Chosen;
        Life = new Life(start, nonce, _promised, last);
        // Nobody to wait for, or somebody who may lead already.
        _electAtNs = _machine.Council.Count == 1 ? nowNs : nowNs + Patience();
    }

    /// <summary>Its number.</summary>
    public ulong Seat { get; }

    /// <summary>This start; goes with every message.</summary>
    public Life Life { get; }

    /// <summary>The last decree that is known here to be decided; it is applied.</summary>
    public ulong Chosen { get; private set; }

    /// <summary>What it does.</summary>
    public PaxosRole Role { get; private set; }

    /// <summary>The highest ballot promised.</summary>
    public Ballot Promised => _promised;

    /// <summary>The seat that leads as far as is known here, 0 for none.</summary>
    public ulong Leader => Role == PaxosRole.Leading ? Seat : _leader;

    /// <summary>Whether it leads and has decided a first decree: what predecessors left is decided or never will be, its state is the newest, and it can propose.</summary>
    public bool Ready => Role == PaxosRole.Leading && _outstanding is not { Inherited: true };

    /// <summary>Whether <see cref="Propose"/> may be called.</summary>
    public bool CanPropose => Role == PaxosRole.Leading && _outstanding is null;

    /// <summary>Whether another member said that this one forgot what it promised (<see cref="Life"/>). It says nothing any more.</summary>
    public bool Disowned { get; private set; }

    /// <summary>Whether its seat is one of the council in force, as far as it knows.</summary>
    public bool IsMember => _machine.Council.Contains(Seat);

    /// <summary>Seats that are no members but follow, so that they can become one; told by the host.</summary>
    public IReadOnlyList<ulong> Learners { get; set; } = [];

    // Nobody would hear its beats: an idle silo sleeps.
    private bool Alone => _machine.Council.Count == 1 && Learners.Count == 0;

    /// <summary>Messages to send; the host clears it.</summary>
    public List<Outgoing> Outbox { get; } = [];

    /// <summary>Records to make durable; the host clears it.</summary>
    public List<PaxosRecord> Writes { get; } = [];

    /// <summary>When <see cref="Tick"/> is due next.</summary>
    public long NextDueNs => Disowned ? long.MaxValue : Role == PaxosRole.Leading ? Math.Min(Alone ? long.MaxValue : _nextBeatNs, _outstanding is null ? long.MaxValue : _resendAtNs) : _blank ? long.MaxValue : _electAtNs;

    /// <summary>A message from another seat.</summary>
    public void Receive(ulong from, Life life, PaxosMessage message, long nowNs)
    {
        _nowNs = nowNs;
        if (Disowned || from == Seat) return;
        if (message is Disown disown)
        {
            if (disown.Life == Life) Disowned = true;
            return;
        }
        if (Recognize(from, life, message)) Handle(from, message);
    }

    /// <summary>Whether <see cref="Synced"/> has something to do once <see cref="Writes"/> are durable.</summary>
    public bool AwaitsSync => _toSelf.Count > 0;

    /// <summary>Everything that was in <see cref="Writes"/> is durable: the own vote counts. What this brings about waits for the next sync.</summary>
    public void Synced(long nowNs)
    {
        _nowNs = nowNs;
        int durable = _toSelf.Count;
        for (int i = 0; i < durable; i++) Handle(Seat, _toSelf[i]);
        _toSelf.RemoveRange(0, durable);
    }

    /// <summary>What time brings: beats, resends, candidacies. At the latest at <see cref="NextDueNs"/>.</summary>
    public void Tick(long nowNs)
    {
        _nowNs = nowNs;
        if (Disowned) return;
        if (Role == PaxosRole.Leading) TickLeading();
        else if (nowNs >= _electAtNs && !_blank) TickElection();
    }

    /// <summary>What stands for everything written so far, when the host replaces the log by a checkpoint of <see cref="Chosen"/>.</summary>
    public IReadOnlyList<PaxosRecord> Remainder()
    {
        var records = new List<PaxosRecord>();
        foreach ((ulong seat, Witness witness) in _witnesses) records.Add(new WitnessRecord(seat, witness));
        records.Add(new PromiseRecord(_promised));
        if (_accepted is not null) records.Add(_accepted);
        return records;
    }

    private void Handle(ulong from, PaxosMessage message)
    {
        switch (message)
        {
            case Canvass it: OnCanvass(from, it); break;
            case CanvassAnswer it: OnCanvassAnswer(from, it); break;
            case Prepare it: OnPrepare(from, it); break;
            case Promise it: OnPromise(from, it); break;
            case Propose it: OnPropose(from, it); break;
            case Accepted it: OnAccepted(from, it); break;
            case Beat it: OnBeat(from, it); break;
            case BeatAnswer it: OnBeatAnswer(from, it); break;
            case Refuse it: OnRefuse(from, it); break;
            case Fetch it: OnFetch(from, it); break;
            case Learn it: OnLearn(from, it); break;
            case StatePiece it: OnStatePiece(from, it); break;
        }
    }

    private void Send(ulong to, PaxosMessage message, bool afterSync)
    {
        if (to != Seat) Outbox.Add(new Outgoing(to, message, afterSync));
        else if (afterSync) _toSelf.Add(message);
        else Handle(Seat, message);
    }

    private void Recover(PaxosDisk disk)
    {
        _blank = disk.State is null;
        Chosen = disk.Decree;
        if (disk.State is not null) _machine.Restore(disk.Decree, disk.State);
        foreach (PaxosRecord record in disk.Records)
        {
            switch (record)
            {
                case PromiseRecord promise: _promised = Ballot.Max(_promised, promise.Ballot); break;
                case WitnessRecord witness: _witnesses[witness.Seat] = witness.Witness; break;
                case AcceptRecord accept: RecoverAccept(accept); break;
            }
        }
        if (_accepted is { Ballot.Round: 0 } learned) ApplyChosen(learned.Decree, learned.Value);
    }

    private void RecoverAccept(AcceptRecord accept)
    {
        _promised = Ballot.Max(_promised, accept.Ballot);
        if (accept.Decree <= Chosen) return;
        // The next decree was begun: the one before is decided.
        if (_accepted is { } last && last.Decree + 1 == accept.Decree) ApplyChosen(last.Decree, last.Value);
        Invariant.Check(accept.Decree == Chosen + 1);
        _accepted = accept;
    }

    private void ApplyChosen(ulong decree, byte[] value)
    {
        Invariant.Check(decree == Chosen + 1);
        Chosen = decree;
        if (_accepted is not null && _accepted.Decree <= decree) _accepted = null;
        _kept.Add((decree, value));
        if (_kept.Count > _options.KeptMax) _kept.RemoveRange(0, _kept.Count - _options.KeptMax);
        _machine.Apply(decree, value);
    }
}
