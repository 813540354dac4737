using Rum.Core.Paxos;
using Rum.Simulation.Pages;

namespace Rum.Simulation.Paxos;

/// <summary>
/// A council over a bad network and bad disks in virtual time, all from one seed: messages are lost, doubled, overtaken and cut off in one direction;
/// members crash in the middle of a write, restart, sync slowly, lose their disks; the council itself changes. The observer checks every decree.
/// </summary>
internal sealed partial class PaxosWorld
{
    private readonly PriorityQueue<Action, (long AtNs, long Order)> _events = new();
    private readonly List<SimulatedMember> _members = [];
    private readonly HashSet<(ulong From, ulong To)> _cut = [];
    private readonly ulong[] _founders;
    private readonly double _loss, _duplication;
    private readonly bool _hectic;
    private long _order;
    private ulong _nextSeat = 1;

    public PaxosWorld(int seed, int council, BrokenCouncil? broken = null, bool leases = false)
    {
        _hectic = broken is not null || seed % 2 == 0;
        Random = new Random(seed);
        Broken = broken;
        _loss = Random.Next(3) * 0.04;
        _duplication = Random.Next(3) * 0.03;
        ulong[] founders = [.. Enumerable.Range(1, council).Select(i => (ulong)i)];
        _founders = founders;
        byte[] newborn = Ledger.Newborn(founders);
        int spare = council == 1 ? 2 : 1;
        for (int i = 0; i < council + spare; i++) AddMember(i < council ? newborn : null, founders);
        for (int i = 1; i <= 3; i++) StartClient(i);
        for (int i = 0; leases && i < 3; i++) StartLeaseholder(Request.FirstLeaseholder + i);
        _council = founders;
    }

    public Random Random { get; }

    public Chronicle Chronicle { get; } = new();

    public BrokenCouncil? Broken { get; }

    /// <summary>Shorter than in earnest: more happens in a run.</summary>
    public PaxosOptions Options { get; } = new() { BeatNs = 20_000_000, ResendNs = 10_000_000, ElectionNs = 60_000_000, StepDownNs = 200_000_000, KeptMax = 24, PieceBytes = 96 };

    public long NowNs { get; private set; }

    public ulong[] Seats => [.. _members.Select(m => m.Seat)];

    public void At(long atNs, Action action) => _events.Enqueue(action, (Math.Max(atNs, NowNs), _order++));

    public void Send(ulong from, ulong to, Life life, PaxosMessage message)
    {
        if (_cut.Contains((from, to)) || Random.NextDouble() < _loss) return;
        SimulatedMember? target = _members.Find(m => m.Seat == to);
        if (target is null) return;
        for (int copies = Random.NextDouble() < _duplication ? 2 : 1; copies > 0; copies--)
        {
            // Mostly fast; now and then late enough that half a second's business has overtaken it.
            long delay = Random.Next(20) == 0 ? Random.NextInt64(1_000_000, 400_000_000) : Random.NextInt64(50_000, 1_000_000);
            At(NowNs + delay, () => target.Receive(from, life, message));
        }
    }

    /// <summary>Runs with faults, then without, until everything has come to rest. Throws <see cref="SimulationException"/>.</summary>
    public void Run(long faultyNs)
    {
        ScheduleFault(faultyNs);
        RunUntil(faultyNs);
        Heal();
        int answers = Chronicle.Answers;
        // Until then what was still asked for by faulty times may be decided.
        long limit = NowNs + 20_000_000_000;
        while (!AtRest(answers))
        {
            if (NowNs > limit) throw new SimulationException($"no rest 20 s after the faults stopped: {Describe()}");
            RunUntil(NowNs + 50_000_000);
            Observe();
        }
    }

    /// <summary>Lets a quiet cluster work for a while.</summary>
    public void RunQuietly(long forNs) => RunUntil(NowNs + forNs);

    public SimulatedMember Member(ulong seat) => _members.Single(m => m.Seat == seat);

    private bool AtRest(int answers)
    {
        if (Chronicle.Answers < answers + 6 || _abandoned.Any(session => !Chronicle.HasExpired(session))) return false;
        SimulatedMember? leader = _members.Find(m => m.Core is { Ready: true } && m.Core.Chosen == Chronicle.LastDecided);
        return leader is not null && _members.All(m => !leader.Ledger!.Council.Contains(m.Seat) || m.Core is { Disowned: false } core && core.Chosen + 5 >= leader.Core!.Chosen);
    }

    private void RunUntil(long untilNs)
    {
        while (_events.TryPeek(out _, out (long AtNs, long Order) next) && next.AtNs <= untilNs)
        {
            NowNs = Math.Max(NowNs, next.AtNs);
            Chronicle.NowNs = NowNs;
            _events.Dequeue()();
        }
        NowNs = Math.Max(NowNs, untilNs);
    }

    private SimulatedMember AddMember(byte[]? newborn, IReadOnlyList<ulong> founders)
    {
        var member = new SimulatedMember(this, _nextSeat++, newborn, founders);
        _members.Add(member);
        member.Start();
        return member;
    }

    private void StartClient(int client)
    {
        int number = 1;
        void Try()
        {
            int asked = number;
            SimulatedMember target = _members[Random.Next(_members.Count)];
            target.Ask(new Request(client, asked, [], []), decree =>
            {
                // The answer travels too.
                if (Random.NextDouble() < _loss) return;
                Chronicle.Answered(client, asked, decree);
                if (asked == number) number++;
            });
            if (Random.Next(3) == 0) _members[Random.Next(_members.Count)].Read();
            At(NowNs + Random.NextInt64(1_000_000, 30_000_000), Try);
        }
        At(Random.NextInt64(1_000_000, 100_000_000), Try);
    }

    private string Describe() => string.Join("; ", _members.Select(m =>
        $"seat {m.Seat} {(m.Alive ? $"{m.Core!.Role} chosen {m.Core.Chosen} promised {m.Core.Promised}{(m.Core.Disowned ? " disowned" : "")}" : "down")}")) + $"; council {string.Join(",", _council)}, {Chronicle.Answers} answers";
}
