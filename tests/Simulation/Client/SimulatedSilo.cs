using Rum.Core;
using Rum.Core.Council;
using Rum.FastPath.Drivers;
using Rum.FastPath.Drivers.Simulated;
using Rum.FastPath.Server;

namespace Rum.Simulation.Client;

/// <summary>A silo: the real page server on one address, one life after the other, and its small talk with the council.</summary>
internal sealed unsafe class SimulatedSilo : IDisposable
{
    private const long AuditEveryNs = 1_000_000_000;

    private readonly World _world;
    private readonly SimulatedCouncil _council;
    private readonly SimulatedDriver _endpoint;
    private readonly Func<IDriver, IDriver>? _breakIt;
    private readonly bool _audits, _auditsExtents;
    private readonly Queue<(Task Done, ulong Sequence)> _dropping = new();
    private PageServer? _server;
    private PagePool? _pool;
    private SiloId _id;
    private ulong _asked;
    private bool _fetching, _again;

    public SimulatedSilo(World world, SimulatedCouncil council, string name, Broken broken)
    {
        (_world, _council, Name, _breakIt, _audits, _auditsExtents) = (world, council, name, broken.Silo, !broken.NeverAudits, !broken.NeverAuditsExtents);
        _endpoint = world.Network.CreateEndpoint();
        world.Addresses[$"sim:{_endpoint.Number}"] = _endpoint.Address;
    }

    /// <summary>A rule that its lives don't keep.</summary>
    public ReplicaDefect Defect { get; init; }

    /// <summary>A defect: a later life says that it is the former one.</summary>
    public bool KeepsIdentity { get; init; }

    public string Name { get; }

    public Incarnation Life { get; private set; }

    /// <summary>Lives begun.</summary>
    public int Lives { get; private set; }

    public PeerAddress Address => _endpoint.Address;

    public int Number => _endpoint.Number;

    public long PausedUntilNs { get; set; }

    /// <summary>It hears nothing of the council until then.</summary>
    public long DeafUntilNs { get; set; }

    public bool Up => _server != null;

    public PagePool Pool => _pool!;

    /// <summary>Whether it stores a page that isn't zeros.</summary>
    public bool Has(SegmentId segment, long page) => _pool!.Read(segment, page, out byte* image, out _) == PageStatus.Ok && image != null;

    /// <summary>When it has something to do by itself.</summary>
    public long NextNs => !Up ? long.MaxValue : _server!.IsLearning && !_busy ? Math.Max(_world.NowNs + 100_000, PausedUntilNs) : _busy || !_endpoint.PrepareWait() ? Math.Max(_world.NowNs + 1, PausedUntilNs) : long.MaxValue;

    private readonly HashSet<(ShardId, uint)> _said = [];
    private bool _busy;

    /// <summary>Begins a life that holds nothing, and joins.</summary>
    public void Start()
    {
        Lives++;
        bool same = KeepsIdentity && Lives > 1;
        if (!same) Life = new Incarnation((ulong)_world.Random.NextInt64(1, long.MaxValue));
        IDriver driver = new LastingDriver(_endpoint);
        _pool = new PagePool(new PagePoolOptions { CapacityBytes = 4 << 20, SegmentsMax = 64, ExtentsMax = 128, ReserveFrames = 256, Defect = Defect });
        _server = new PageServer(Life, _pool, [_breakIt?.Invoke(driver) ?? driver], null, new PageServerOptions
        {
            PeerOf = member => _world.Addresses.TryGetValue(member.Endpoint, out PeerAddress address) ? address : null,
        });
        _said.Clear();
        _asked = 0;
        _busy = true;
        _dropping.Clear();
        Incarnation life = Life;
        _world.Note(Name, "starts a life");
        if (same) Tell(_council.Machine.View);
        else _world.After(_world.ControlDelayNs(), () => Join(life));
    }

    /// <summary>The process dies: what it held is gone.</summary>
    public void Kill()
    {
        _world.Note(Name, "dies");
        _server?.Dispose();
        (_server, _pool) = (null, null);
        _endpoint.Release();
    }

    public void Poll()
    {
        if (_server == null || _world.NowNs < PausedUntilNs) return;
        _busy = _server.Poll(_world.NowNs) > 0;
        foreach ((ShardId shard, uint epoch) in _server.Learned)
        {
            if (!_said.Add((shard, epoch))) continue;
            Incarnation learner = Life;
            _world.After(_world.ControlDelayNs(), () => _council.Apply(default, new CaughtUp(_id, learner, shard, epoch)));
        }
        while (_dropping.TryPeek(out (Task Done, ulong Sequence) first) && first.Done.IsCompleted)
        {
            _dropping.Dequeue();
            Incarnation life = Life;
            _world.After(_world.ControlDelayNs(), () => _council.Apply(default, new Dropped(_id, life, first.Sequence)));
        }
    }

    /// <summary>A view on its way to this silo.</summary>
    public void Tell(ClusterView view)
    {
        Incarnation life = Life;
        Hear(() =>
        {
            if (_server == null || Life != life) return;
            _ = _server.SetViewAsync(view);
            _busy = true;
        });
    }

    private void Hear(Action what) => _world.After(Math.Max(_world.ControlDelayNs(), DeafUntilNs - _world.NowNs), () =>
    {
        if (_world.NowNs < DeafUntilNs) Hear(what);
        else what();
    });

    /// <summary>Asks the council soon what is to be dropped.</summary>
    public void FetchDrops()
    {
        if (_fetching)
        {
            _again = true;
            return;
        }
        _fetching = true;
        Hear(() =>
        {
            _fetching = false;
            if (_server == null || _id.Value == 0) return;
            if (_council.Machine.Query(new GetDrops(_id, Life, _asked)) is DropsAnswer answer)
            {
                // What it drops it must have ceased to answer for before.
                if (answer.Drops.Any(static drop => drop.IsShard)) _ = _server.SetViewAsync(_council.Machine.View);
                Carry(answer);
            }
            if (_again) (_again, _) = (false, 0);
            else return;
            FetchDrops();
        });
    }

    /// <summary>Asks the council which of the segments known here were freed, again and again as long as this life lasts.</summary>
    private void AuditSoon(Incarnation life) => _world.After(AuditEveryNs, () =>
    {
        if (_server == null || Life != life) return;
        Audit();
        if (_auditsExtents) AuditExtents();
        AuditSoon(life);
    });

    private void Audit()
    {
        var ids = new ulong[CouncilMachine.AuditMax];
        int count = _pool!.ListSegments(ids);
        if (_council.Machine.Query(new Audit([.. ids.AsSpan(0, count).ToArray().Select(id => new SegmentId(id))])) is not DropsAnswer answer) return;
        foreach (Drop drop in answer.Drops)
        {
            _world.Note(Name, "drops segment {0}, which was freed before it came here", (long)drop.Segment.Value);
            _ = _server!.DropSegmentAsync(drop.Segment);
            _busy = true;
        }
    }

    /// <summary>The answer takes its time, in which the silo stores more.</summary>
    private void AuditExtents()
    {
        var stored = new StoredExtent[CouncilMachine.AuditMax];
        int count = _pool!.ListExtents(stored);
        Incarnation life = Life;
        var request = new AuditExtents([.. stored.AsSpan(0, count).ToArray().Select(it => new ExtentId(it.Segment, it.Extent))]);
        _world.After(_world.ControlDelayNs(), () =>
        {
            if (_council.Machine.Query(request) is not DropsAnswer answer) return;
            _world.After(_world.ControlDelayNs(), () =>
            {
                if (_server == null || Life != life) return;
                foreach (Drop drop in answer.Drops)
                {
                    PageVersion newest = Array.Find(stored, it => it.Segment == drop.Segment).Newest;
                    _world.Note(Name, "drops of segment {0} what is old from page {1}", (long)drop.Segment.Value, drop.FirstPage);
                    _ = _server.RunAsync(pool => pool.DropOlder(drop.Segment, drop.FirstPage, drop.PageCount, newest));
                    _busy = true;
                }
            });
        });
    }

    public void Dispose() => _server?.Dispose();

    private void Carry(DropsAnswer answer)
    {
        foreach (Drop drop in answer.Drops)
        {
            _asked = drop.Sequence;
            _world.Note(Name, "drops of segment {0} from page {1}", (long)drop.Segment.Value, drop.Freed ? 0 : drop.FirstPage);
            Task done = drop.IsShard ? _server!.DropShardAsync(drop.Shard)
                : drop.Freed ? _server!.DropSegmentAsync(drop.Segment) : _server!.DropPagesAsync(drop.Segment, drop.FirstPage, drop.PageCount);
            _dropping.Enqueue((done, drop.Sequence));
            _busy = true;
        }
    }

    private void Join(Incarnation life)
    {
        if (_server == null || Life != life) return;
        var self = new Member(default, Name, life, $"sim:{Number}", "", "", "", "", "", 1L << 30, false);
        if (_council.Apply(default, new Join(self)) is JoinResult { Error: RumError.None } joined) _id = joined.Silo;
        if (_audits) AuditSoon(life);
    }
}

/// <summary>The address outlives the process: who ends its driver leaves the end point as it is.</summary>
internal sealed class LastingDriver(SimulatedDriver inner) : IDriver
{
    public DriverTraits Traits => inner.Traits;

    public int WaitDescriptor => inner.WaitDescriptor;

    public DriverCounters Counters => inner.Counters;

    public int Send(ReadOnlySpan<TxFrame> frames) => inner.Send(frames);

    public int Receive(Span<RxFrame> frames) => inner.Receive(frames);

    public void Release() => inner.Release();

    public bool PrepareWait() => inner.PrepareWait();

    public void FinishWait() => inner.FinishWait();

    public void Dispose()
    {
    }
}
