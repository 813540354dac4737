using Rum.Core.Paxos;

namespace Rum.Simulation.Paxos;

/// <summary>A council member as a process: the core, its disk, and the host's part between them. While it syncs, everything else waits.</summary>
internal sealed class SimulatedMember(PaxosWorld world, ulong seat, byte[]? newborn, IReadOnlyList<ulong> founders)
{
    private readonly List<(Request Request, Action<ulong> Answer)> _asked = [];
    private readonly List<(ulong Number, ulong MustSee)> _reads = [];
    private readonly List<PaxosRecord> _syncing = [];
    private readonly MemberLeases _leases = new(world);
    private long _busyUntilNs;
    private long _tickAtNs = long.MaxValue;
    private int _lives;

    public ulong Seat => seat;

    public SimulatedDisk Disk { get; set; } = new(newborn);

    public PaxosMember? Core { get; private set; }

    public Ledger? Ledger { get; private set; }

    public bool Alive => Core is not null;

    /// <summary>How much longer each of its syncs takes.</summary>
    public long SlowNs { get; set; }

    public void Start()
    {
        Disk.Starts++;
        _lives++;
        Ledger = new Ledger(world.Chronicle, founders);
        Core = new PaxosMember(
            seat, Disk.Starts, (ulong)world.Random.NextInt64(), Disk.Read(), Ledger, world.NowNs, world.Random.Next, world.Options, world.Broken?.Rules);
        _busyUntilNs = world.NowNs;
        Settle();
    }

    /// <summary>Ends at once. Of what is being written a part may reach the disk.</summary>
    public void Crash()
    {
        if (Core is null) return;
        int kept = world.Random.Next(_syncing.Count + 1);
        for (int i = 0; i < kept; i++) Disk.Append(_syncing[i]);
        _syncing.Clear();
        _asked.Clear();
        _reads.Clear();
        _leases.Clear();
        Core = null;
        Ledger = null;
        _tickAtNs = long.MaxValue;
        world.Broken?.AtRestart?.Invoke(Disk);
    }

    /// <summary>Does nothing for a while, and then goes on as if nothing had been.</summary>
    public void Pause(long forNs) => _busyUntilNs = Math.Max(_busyUntilNs, world.NowNs + forNs);

    public void Receive(ulong from, Life life, PaxosMessage message) => Do(() => Core!.Receive(from, life, message, world.NowNs));

    /// <summary>A client's command; answered with the decree if it gets so far.</summary>
    public void Ask(Request request, Action<ulong> answer) => Do(() =>
    {
        if (Core!.Ready) _asked.Add((request, answer));
    });

    /// <summary>A client's read: it must see everything that was answered before now.</summary>
    public void Read() => Do(() =>
    {
        if (!Core!.Ready) return;
        ulong mustSee = world.Chronicle.LastAnswered;
        if (world.Broken?.ReadsUnconfirmed == true) world.Chronicle.Read(mustSee, Core.Chosen);
        else _reads.Add((Core.Confirm(world.NowNs), mustSee));
    });

    /// <summary>A client says that it lives; answered with whether its session does.</summary>
    public void Beat(int client, ulong session, Action<bool> answer) => Do(() =>
    {
        if (Core!.Ready) _leases.Beat(Core, Ledger!, client, session, answer);
    });

    private void Do(Action action)
    {
        if (Core is null) return;
        if (world.NowNs < _busyUntilNs)
        {
            int life = _lives;
            world.At(_busyUntilNs, () =>
            {
                if (life == _lives) Do(action);
            });
            return;
        }
        action();
        Settle();
    }

    private void Settle()
    {
        if (Core is not { } core) return;
        if (!core.Ready)
        {
            _asked.Clear();
            _reads.Clear();
            _leases.Clear();
        }
        AnswerDone(core);
        Request[] proposed = core.Ready && core.CanPropose ? [.. _asked.Select(a => a.Request), .. _leases.Expiries(core, Ledger!)] : [];
        if (proposed.Length > 0)
        {
            core.Propose(Ledger.Encode(proposed), world.NowNs);
            // A wish for another council is carried out once or not at all; whoever wished looks for himself.
            _asked.RemoveAll(a => a.Request.Client == 0);
        }
        core.Learners = world.Seats;
        bool careless = world.Broken?.SendsBeforeSync == true;
        SendAll(core.Outbox.Where(o => careless || !o.AfterSync));
        List<Outgoing> rest = [.. core.Outbox.Where(o => !careless && o.AfterSync)];
        core.Outbox.Clear();
        _syncing.AddRange(core.Writes);
        core.Writes.Clear();
        if (_syncing.Count > 0)
        {
            // The careless need slow disks, or the window is too narrow for chance.
            _busyUntilNs = world.NowNs + world.Random.Next(50_000, 500_000) + SlowNs + (careless ? world.Random.Next(20_000_000) : 0);
            int life = _lives;
            world.At(_busyUntilNs, () =>
            {
                if (life != _lives || Core is null) return;
                foreach (PaxosRecord record in _syncing) Disk.Append(record);
                _syncing.Clear();
                SendAll(rest);
                core.Synced(world.NowNs);
                if (Disk.Records > 60) Disk.Replace(core.Chosen, Ledger!.Capture(), core.Remainder());
                Settle();
            });
            return;
        }
        SendAll(rest);
        int outgoing = core.Outbox.Count;
        core.Synced(world.NowNs);
        if (core.Outbox.Count > outgoing || core.Writes.Count > 0 || core.AwaitsSync) Settle();
        else ScheduleTick(core);
    }

    private void AnswerDone(PaxosMember core)
    {
        for (int i = _asked.Count - 1; i >= 0; i--)
        {
            (Request request, Action<ulong> answer) = _asked[i];
            if (request.Client >= Request.FirstLeaseholder)
            {
                if (!Ledger!.Sessions.TryGetValue(request.Client, out ulong session)) continue;
                _asked.RemoveAt(i);
                answer(session);
                continue;
            }
            (int number, ulong decree) = Ledger!.Last(request.Client);
            if (request.Client == 0 || number < request.Number) continue;
            _asked.RemoveAt(i);
            if (number == request.Number) answer(decree);
        }
        if (core.Ready) _leases.Answer(core, Ledger!);
        for (int i = _reads.Count - 1; i >= 0; i--)
        {
            if (core.Confirmed < _reads[i].Number) continue;
            world.Chronicle.Read(_reads[i].MustSee, core.Chosen);
            _reads.RemoveAt(i);
        }
    }

    private void SendAll(IEnumerable<Outgoing> messages)
    {
        foreach (Outgoing message in messages) world.Send(seat, message.To, Core!.Life, message.Message);
    }

    private void ScheduleTick(PaxosMember core)
    {
        long due = Math.Max(Math.Min(core.NextDueNs, core.CanPropose ? _leases.NextDueNs : long.MaxValue), world.NowNs + 1);
        if (due == long.MaxValue || (due >= _tickAtNs && _tickAtNs > world.NowNs)) return;
        _tickAtNs = due;
        int life = _lives;
        world.At(due, () =>
        {
            if (life != _lives || Core is null) return;
            _tickAtNs = long.MaxValue;
            Do(() => Core.Tick(world.NowNs));
        });
    }
}
