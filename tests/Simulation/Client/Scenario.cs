using Rum.Core;
using Rum.Core.Council;
using Rum.FastPath.Client;
using Rum.FastPath.Drivers;
using Rum.FastPath.Drivers.Simulated;
using Rum.Pager.Paging;
using Rum.Simulation.Pages;

namespace Rum.Simulation.Client;

/// <summary>What may happen in a run beside the bad network.</summary>
[Flags]
internal enum Trouble
{
    None = 0,
    Pauses = 1,
    Restarts = 2,
    Expiry = 4,

    /// <summary>The named segment is cut off, at a time when only sessions that are over have it mapped.</summary>
    Cut = 8,

    /// <summary>
    /// Three clients work on the same few pages, which one of them stores as wholes and flushes, and the others drop and fetch anew; pages travel in fragments, of which many get lost:
    /// the pages' versions change while readers wait for the rest of them.
    /// </summary>
    Duel = 16,
}

/// <summary>
/// One run from one seed: a council, silos, client processes, what happens to them, and who checks. All in one thread and in virtual time.
/// Wrong bytes, broken invariants, hangs and leaks throw.
/// </summary>
internal sealed unsafe class Scenario : IDisposable
{
    private const int RingShards = 16;
    private const long EndsWithinNs = 60_000_000_000;

    // What is lost can't be written back and holds the cache, so that each access may have to wait for its time-out.
    private const long EndsWithLossWithinNs = 900_000_000_000;

    private readonly World _world;
    private readonly List<SimulatedSilo> _silos = [];
    private readonly List<SimulatedProcess> _processes = [];
    private readonly SimulatedNetwork _network;
    private readonly Trouble _trouble;
    private readonly HashSet<SessionId> _expired = [];
    private readonly bool _viewsForTheEnded;
    private ulong _toldDecree;
    private long _calmSinceNs;
    private int _restarts;

    public Scenario(int seed, Trouble trouble, int operations, Broken? broken = null)
    {
        broken ??= Broken.Nothing;
        _trouble = trouble;
        _viewsForTheEnded = broken.ViewsForTheEnded;
        var random = new Random(~seed);
        bool whole = random.Next(2) == 0;
        var link = new LinkSettings
        {
            Loss = trouble.HasFlag(Trouble.Duel) ? 0.3 : 0.05,
            Duplication = 0.02,
            Reordering = 0.05,
            Corruption = 0.01,
            Truncation = 0.002,
            ReorderDelayNs = random.Next(100_000, 8_000_000),
            DelayNsMin = 5_000,
            DelayNsMax = 40_000,
        };
        _network = new SimulatedNetwork(
            (ulong)seed, new SimulatedNetworkOptions { MaxPayload = (whole && !trouble.HasFlag(Trouble.Duel)) || broken.WholePages ? Layout.PageSize : 1344, Link = link, UsesLanding = random.Next(2) == 0 });
        _world = new World(seed, _network);
        CachePages = random.Next(16, 40);
        Moves = random.Next(4) != 0;
        MovesZeroPages = random.Next(2) == 0;
        BusyRate = random.Next(3) == 0 ? 0.05 : 0;
        EvictionBatch = random.Next(2) == 0 ? 1 : 8;
        WindowPages = random.Next(3) * 32;
        Requests = random.Next(12, 64);
        LeaseMs = trouble.HasFlag(Trouble.Expiry) ? 400 : 10_000;
        FaultTimeoutNs = trouble.HasFlag(Trouble.Restarts) ? 1_500_000_000 : 0;
        Council = new SimulatedCouncil(_world, RingShards) { Decided = Decided, Expired = Expired };
        int silos = random.Next(1, 4), processes = trouble.HasFlag(Trouble.Duel) ? 3 : random.Next(1, 4);
        for (int i = 0; i < silos; i++) _silos.Add(new SimulatedSilo(_world, Council, $"silo{i}", broken));
        foreach (SimulatedSilo silo in _silos) silo.Start();
        var workload = new Workload(_world, this);
        for (int i = 0; i < processes; i++)
        {
            var process = new SimulatedProcess(_world, this, $"client{i}", broken) { Budget = operations / processes };
            _processes.Add(process);
            workload.Start(process, threads: random.Next(1, 5));
        }
    }

    private long PatienceNs => _restarts > 0 ? EndsWithLossWithinNs : EndsWithinNs;

    /// <summary>What the seed has chosen, in words.</summary>
    public override string ToString() =>
        $"{_silos.Count} silos, {_processes.Count} clients with a cache of {CachePages} pages, {(Moves ? "moving" : "copying")}, windows of {WindowPages}, " +
        $"batches of {EvictionBatch}, {Requests} requests, frames of {_network.Options.MaxPayload} bytes; {_trouble}";

    public SimulatedCouncil Council { get; }

    public int CachePages { get; }

    public bool Moves { get; }

    public bool MovesZeroPages { get; }

    public double BusyRate { get; }

    public int EvictionBatch { get; }

    public int WindowPages { get; }

    public int Requests { get; }

    public int LeaseMs { get; }

    public long FaultTimeoutNs { get; }

    public EventTrace Trace => _world.Trace;

    /// <summary>Whether writer and readers are at the same pages.</summary>
    public bool Duel => _trouble.HasFlag(Trouble.Duel);

    /// <summary>How often fragments of one page met that were of different versions.</summary>
    public long MixedFragments => _processes.Sum(p => p.Pages.Counters.MixedFragments);

    /// <summary>The segment that all processes know by name, once it exists.</summary>
    public SegmentModel? Named { get; set; }

    /// <summary>Runs to the end. Returns a hash over everything that happened.</summary>
    public ulong Run()
    {
        while (!_processes.TrueForAll(p => p.Ended && !p.Engine.NeedsSteps))
        {
            Round();
        }
        foreach (SimulatedProcess process in _processes) process.CheckEnd();
        CheckNothingLeft();
        return _world.Trace.Hash ^ _network.TraceHash;
    }

    public void Dispose()
    {
        foreach (SimulatedProcess process in _processes) process.Dispose();
        foreach (SimulatedSilo silo in _silos) silo.Dispose();
        _network.Dispose();
    }

    public ClientRoutes Routes(ClusterView view, IDriver driver) => new(
        new ShardMap(view),
        [.. view.Members.Select(m => new SiloRoute(m.Incarnation, driver, _silos.Find(s => s.Name == m.Name)!.Address))]);

    /// <summary>Whether a session has ended without having ended itself.</summary>
    public bool IsExpired(SessionId session) => _expired.Contains(session);

    /// <summary>Whether a page's silo has forgotten it.</summary>
    public bool IsLost(SegmentHandle handle, long page)
    {
        ShardPlace place = new ShardMap(Council.Machine.View).Place(ShardOf(handle, page));
        return place.State == ShardState.Lost || !_silos.Exists(s => s.Up && s.Life == place.Incarnation);
    }

    /// <summary>Whether a silo has forgotten a part of a segment.</summary>
    public bool AnyLost(Attachment at) => Enumerable.Range(0, at.Model.Count).Any(i => IsLost(at.Handle, at.Model[i].Number));

    /// <summary>Whether the named segment may be cut off: somebody has it mapped whose session is over, and nobody else.</summary>
    public bool MayCut
    {
        get
        {
            Attachment[] named = [.. _processes.SelectMany(p => p.Attachments).Where(at => at.Model == Named)];
            return _trouble.HasFlag(Trouble.Cut) && Array.Exists(named, at => !at.ReadOnly) && Array.TrueForAll(named, at => at.Orphan);
        }
    }

    /// <summary>The writer has gone, and not everything that it stored is at the silos.</summary>
    public static void LeftWithoutFlush(Attachment at)
    {
        for (int i = 0; i < at.Model.Count; i++) at.Model[i].Inherited = true;
    }

    /// <summary>After a flush: what the silo has of a page must be no older than the flush.</summary>
    public void CheckStored(Attachment at, int index, long notBefore, string who)
    {
        PageModel page = at.Model[index];
        if (IsLost(at.Handle, page.Number)) return;
        ShardPlace place = new ShardMap(Council.Machine.View).Place(ShardOf(at.Handle, page.Number));
        SimulatedSilo silo = _silos.Find(s => s.Life == place.Incarnation)!;
        PageStatus status = silo.Pool.Read(at.Model.Id, page.Number, out byte* image, out PageVersion version);
        Span<ulong> words = stackalloc ulong[SegmentModel.Words];
        words.Clear();
        bool clean = image == null || PageModel.TryRead(new ReadOnlySpan<byte>(image, Layout.PageSize), words);
        if (status != PageStatus.Ok || !clean || !page.Was(words, notBefore))
        {
            throw World.Wrong($"{who} flushed page {page.Number} of {at.Model.Name}, and {silo.Name} has it ({status}, version {version.Sequence}) as {PageModel.Text(words)}, " +
                $"which it wasn't since the flush began; now it is {PageModel.Text(page.Words)}");
        }
    }

    /// <summary>The pager gave a page up: only for a reason.</summary>
    public void CheckGivenUp(SimulatedProcess process, in PageTrouble trouble)
    {
        SegmentId id = trouble.Segment.Segment;
        Attachment? at = process.Attachments.Find(a => a.Model.Id == id);
        if (trouble.Writing && at is { Orphan: true })
        {
            at.Unmapped = true;
            return;
        }
        // A page of a lost shard, or of a session that is over; or any other, once the cache is full of pages that no silo takes any more.
        if (!trouble.Writing && (process.Attachments.Exists(a => a.Orphan) || IsLost(trouble.Segment, trouble.Page) || process.Attachments.Exists(AnyLost))) return;
        throw World.Wrong($"{process.Name} gives up page {trouble.Page} of {id} ({trouble.Status}), which could be had");
    }

    private ShardId ShardOf(SegmentHandle handle, long page) => SegmentLayout.ShardOf(handle.FirstShard, handle.Flags, Layout.ExtentOfPage(page), RingShards);

    /// <summary>Nobody can reach what is behind the end of a segment, and the silos find it.</summary>
    private void CheckNothingBehindTheEnd()
    {
        if (Named is not { CutAt: < long.MaxValue }) return;
        long limit = _network.NowNs + PatienceNs;
        while (_silos.Find(s => s.Up && Enumerable.Range(0, Named.Count).Any(i => Named[i].Number >= Named.CutAt && s.Has(Named.Id, Named[i].Number))) is { } silo)
        {
            _world.RunDue();
            foreach (SimulatedSilo each in _silos) each.Poll();
            if (_network.NowNs > limit) throw World.Wrong($"{silo.Name} keeps pages behind the end of {Named.Name}");
            _network.AdvanceTo(_network.NowNs + 1_000_000);
        }
    }

    private void Round()
    {
        _world.RunDue();
        Council.ExpireDue();
        foreach (SimulatedSilo silo in _silos) silo.Poll();
        foreach (SimulatedProcess process in _processes) process.Tick();
        foreach (SimulatedSilo silo in _silos) silo.Poll();
        if (_calmSinceNs == 0)
        {
            if (_processes.TrueForAll(p => p.Budget <= 0 || p.Ended)) CalmDown();
            else MakeTrouble();
        }
        long limit = _calmSinceNs + PatienceNs;
        long now = _network.NowNs;
        if (now > limit) throw World.Wrong($"hangs: {string.Join("; ", _processes.SelectMany(p => p.Threads).Where(t => !t.Ended))}; {string.Join("; ", _processes)}");
        long next = Math.Min(Math.Min(_network.NextArrivalNs, _world.NextNs), Council.NextNs);
        foreach (SimulatedSilo silo in _silos) next = Math.Min(next, silo.NextNs);
        foreach (SimulatedProcess process in _processes) next = Math.Min(next, process.NextNs);
        _network.AdvanceTo(Math.Clamp(next, now + 100, limit + 1));
    }

    private void MakeTrouble()
    {
        Random random = _world.Random;
        if (random.Next(4_000) == 0) Partition();
        if (_trouble.HasFlag(Trouble.Pauses) && random.Next(3_000) == 0)
        {
            SimulatedSilo silo = _silos[random.Next(_silos.Count)];
            silo.PausedUntilNs = _world.NowNs + random.Next(1_000_000, 60_000_000);
            _world.Note(silo.Name, "stands still");
        }
        if (_trouble.HasFlag(Trouble.Expiry) && random.Next(_trouble.HasFlag(Trouble.Cut) ? 1_500 : 6_000) == 0)
        {
            SimulatedProcess process = _processes[random.Next(_processes.Count)];
            process.PausedUntilNs = _world.NowNs + random.Next(1_000_000, 900_000_000);
            _world.Note(process.Name, "stands still");
        }
        if (_trouble.HasFlag(Trouble.Restarts) && _restarts < 2 && random.Next(6_000) == 0)
        {
            _restarts++;
            SimulatedSilo silo = _silos[random.Next(_silos.Count)];
            silo.Kill();
            _world.After(random.Next(10_000, 300_000_000), silo.Start);
        }
    }

    /// <summary>One direction between a silo and a client is cut for a while.</summary>
    private void Partition()
    {
        int silo = _silos[_world.Random.Next(_silos.Count)].Number, client = _processes[_world.Random.Next(_processes.Count)].Number;
        (int from, int to) = _world.Random.Next(2) == 0 ? (silo, client) : (client, silo);
        _network.Block(from, to);
        _world.Note("network", "lets nothing through from {0} to {1}", from, to);
        _world.After(_world.Random.Next(1_000_000, 30_000_000), () => _network.Unblock(from, to));
    }

    /// <summary>From now on nothing goes wrong, and all must end.</summary>
    private void CalmDown()
    {
        _calmSinceNs = _world.NowNs;
        _world.Note("network", "is calm from now on");
        foreach (SimulatedSilo silo in _silos)
        {
            silo.PausedUntilNs = 0;
            foreach (SimulatedProcess process in _processes)
            {
                process.PausedUntilNs = 0;
                _network.SetLink(silo.Number, process.Number, LinkSettings.Perfect);
                _network.SetLink(process.Number, silo.Number, LinkSettings.Perfect);
            }
        }
    }

    private void Decided()
    {
        ClusterView view = Council.Machine.View;
        if (view.Decree != _toldDecree)
        {
            _toldDecree = view.Decree;
            foreach (SimulatedSilo silo in _silos) silo.Tell(view);
            foreach (SimulatedProcess process in _processes)
                if (_viewsForTheEnded || Council.Machine.Query(new GetView(0, process.Session)).Error == RumError.None) process.Tell(view);
        }
        foreach (SimulatedSilo silo in _silos) silo.FetchDrops();
    }

    /// <summary>A session's anonymous memory is gone; what it wrote to named segments since the last flush may be there or not.</summary>
    private void Expired(SessionId session)
    {
        _expired.Add(session);
        SimulatedProcess? process = _processes.Find(p => p.Session == session);
        if (process == null) return;
        foreach (Attachment at in process.Attachments)
        {
            at.Orphan = true;
            if (at.Model != Named) at.Model.Freed = true;
            else if (!at.ReadOnly)
                for (int i = 0; i < at.Model.Count; i++) at.Model[i].Inherited = true;
        }
    }

    /// <summary>When all is freed no silo keeps a page: not one in a later life either, which missed the drops of its earlier one.</summary>
    private void CheckNothingLeft()
    {
        CheckNothingBehindTheEnd();
        if (Named is { Freed: false }) Council.Apply(default, new Free(default, default, Workload.Key));
        long limit = _network.NowNs + PatienceNs;
        while (_silos.Exists(s => s.Up && s.Pool.Statistics.PagesStored > 0))
        {
            _world.RunDue();
            foreach (SimulatedSilo silo in _silos) silo.Poll();
            if (_network.NowNs > limit) throw World.Wrong($"everything is freed, and silos keep pages: {string.Join(", ", _silos.Where(s => s.Up).Select(s => s.Pool.Statistics.PagesStored))}");
            _network.AdvanceTo(_network.NowNs + 1_000_000);
        }
    }
}
