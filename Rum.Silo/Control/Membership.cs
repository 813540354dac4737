using System.Net;
using Microsoft.Extensions.Logging;
using Rum.Core;
using Rum.Core.Configuration;
using Rum.Core.Council;
using Rum.FastPath.Drivers;
using Rum.FastPath.Drivers.Udp;
using Rum.FastPath.Server;
using Rum.Silo.Council;

namespace Rum.Silo.Control;

/// <summary>
/// A silo's place in the cluster: joins, says that it lives, fetches views for the page server, carries out drops and confirms them, leaves. Asks for
/// ever; what doesn't work is said once, and once more when it works again. Runs as one task.
/// </summary>
public sealed partial class Membership
{
    // Heartbeats are also how a silo learns of views and drops. Something new is mostly followed by more of it; when nothing happens nobody waits.
    private static readonly TimeSpan Busy = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(1);

    // The leader in this very process says when there is something, and knows that the silo lives: the beat is only for what might have been missed.
    private static readonly TimeSpan IdleBeside = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan BusyFor = TimeSpan.FromSeconds(2);

    // What many decrees in a row bring is fetched at once, and confirmed by one decree: each has its own fsync, for which programs would wait.
    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan AuditEvery = TimeSpan.FromMinutes(1);

    private readonly Member _self;
    private readonly ICouncil _council;
    private readonly PageServer _server;
    private readonly SemaphoreSlim _news = new(0, 1);
    private readonly ILogger _log;
    private readonly TaskCompletionSource _serving = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HashSet<(ShardId Shard, uint Epoch)> _caughtUp = [];
    private SiloId _id;
    private ShardMap? _map;
    private ulong _viewDecree;
    private ulong _dropped, _carriedOut;
    private ulong _chargesAsOf;
    private ulong _offered;
    private ulong _snapshotsDecree;
    private volatile bool _urgent, _gathering;
    private long _lastNewsMs;
    private long _auditedMs = long.MinValue / 2;
    private string _trouble = "";

    /// <summary>Who joins, by whom, for which page server.</summary>
    public Membership(Member self, ICouncil council, PageServer server, ILogger log)
    {
        _self = self;
        _council = council;
        _server = server;
        _log = log;
    }

    /// <summary>Told at each turn of its loop, at least every few seconds where another silo leads.</summary>
    public Action? Turned { get; init; }

    /// <summary>Told the number that the council gave this silo, at each join.</summary>
    public Action<SiloId>? Joined { get; init; }

    /// <summary>Told each new view before it is served; throws <see cref="SiloStartException"/> when this silo can't belong to that cluster.</summary>
    public Action<ClusterView>? Viewed { get; init; }

    /// <summary>The seat that this silo's disk is good for, 0 for none.</summary>
    public Func<ulong>? Seat { get; init; }

    /// <summary>Told that something about snapshots has changed at the council.</summary>
    public Action? SnapshotsChanged { get; init; }

    /// <summary>Ends when the page server has its first view in which this silo is a member.</summary>
    public Task Serving => _serving.Task;

    /// <summary>Whether it is a member and the council answered lately.</summary>
    public bool Ready => _serving.Task.IsCompletedSuccessfully && Trouble.Length == 0;

    /// <summary>What keeps it from its place now, empty for nothing.</summary>
    public string Trouble => Volatile.Read(ref _trouble) is { Length: > 0 } trouble ? trouble : Beside?.Invoke() ?? "";

    /// <summary>What is in the way of those that this silo needs besides the council, empty for nothing.</summary>
    public Func<string>? Beside { get; init; }

    /// <summary>The number that the council gave it, 0 before.</summary>
    public SiloId Id => _id;

    /// <summary>The newest view that the page server has, null before the first.</summary>
    public ShardMap? Map => Volatile.Read(ref _map);

    /// <summary>Keeps the place until cancelled. Throws <see cref="SiloStartException"/> when another process has taken it for good.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            TimeSpan pause = _council.LeadsHere ? IdleBeside : Environment.TickCount64 - _lastNewsMs < BusyFor.TotalMilliseconds ? Busy : Idle;
            if (_server.IsLearning) pause = Busy;
            Turned?.Invoke();
            _urgent = false;
            long begun = Environment.TickCount64;
            try
            {
                if (_id.Value == 0) await JoinAsync(stop);
                await BeatAsync(stop);
                Recovered();
            }
            catch (CouncilUnreachableException e)
            {
                Troubled(e.Message);
                pause = TimeSpan.FromMilliseconds(500);
            }
            catch (CouncilRefusedException e)
            {
                Troubled(e.Message);
                pause = TimeSpan.FromSeconds(1);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            try
            {
                bool told = await _news.WaitAsync(pause, stop);
                _gathering = true;
                for (long left; told && !_urgent && (left = begun + (long)Gather.TotalMilliseconds - Environment.TickCount64) > 0;)
                    await _news.WaitAsync((int)left, stop);
                _gathering = false;
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>There is something new at the council: asks at once. Any thread; used where silo and council are one process.</summary>
    public void News()
    {
        _urgent = true;
        Wake();
    }

    /// <summary>The same where nobody waits for it: asks soon, with what else comes until then.</summary>
    public void NewsSoon()
    {
        if (!_gathering) Wake();
    }

    private void Wake()
    {
        // At most one is kept: one heartbeat gets all that is new.
        if (_news.CurrentCount > 0) return;
        try
        {
            _news.Release();
        }
        catch (SemaphoreFullException)
        {
            // Somebody else has just said so.
        }
    }

    /// <summary>Gives the place up, as far as the council can be told in time.</summary>
    public async Task LeaveAsync(CancellationToken patience)
    {
        if (_id.Value == 0) return;
        PagePoolStatistics held = _server.PoolStatistics;
        if (held.PagesStored > 0) LogLeavesPages(held.PagesStored, ByteSize.Format(held.PagesStored << Layout.PageShift), held.Segments);
        try
        {
            await DecideAsync(new Leave(_id, _self.Incarnation), patience);
            LogLeft(_id.Value);
        }
        catch (Exception e) when (e is CouncilUnreachableException or CouncilRefusedException or OperationCanceledException)
        {
            LogLeaveFailed(e.Message);
        }
    }

    private async Task JoinAsync(CancellationToken stop)
    {
        // Pages of one cluster are never offered to another, which may have given the same numbers to its segments.
        if (Map is { } map && await _council.AskAsync(new GetView(0), stop) is ViewAnswer { View: { } now } && now.ClusterId != map.View.ClusterId)
            throw new SiloStartException(
                $"the silos are cluster {now.ClusterId} now, but this silo stores pages of cluster {map.View.ClusterId}, which is gone. Start it anew to join them, empty.");
        Result result = await DecideAsync(new Join(_self), stop);
        if (result.Error == RumError.StaleView)
            throw new SiloStartException($"another process has taken the place of silo {_self.Name}: {result.Message}");
        _id = ((JoinResult)result).Silo;
        Joined?.Invoke(_id);
        _offered = 0;
        _viewDecree = 0;
        _auditedMs = long.MinValue / 2;
        LogJoined(_self.Name, _id.Value, _self.Incarnation.ToString());
    }

    private async Task BeatAsync(CancellationToken stop)
    {
        CouncilAnswer answer = await _council.AskAsync(new SiloHeartbeat(_id, _self.Incarnation, _viewDecree), stop);
        if (answer.Error == RumError.StaleView)
        {
            // The join that follows is refused if a later process has the place; else the council had lost sight of this one.
            _id = default;
            return;
        }
        if (answer is not SiloHeartbeatAnswer beat) throw new CouncilRefusedException(answer.Error, answer.Message);
        if (beat.Decree > _chargesAsOf || beat.LastDrop > _dropped) _lastNewsMs = Environment.TickCount64;
        if (beat.ViewDecree > _viewDecree) await FetchViewAsync(stop);
        if (beat.SnapshotsDecree > _snapshotsDecree)
        {
            _snapshotsDecree = beat.SnapshotsDecree;
            SnapshotsChanged?.Invoke();
        }
        if (Seat?.Invoke() is > 0 and ulong seat && seat != _offered) await OfferAsync(seat, stop);
        if (beat.LastDrop > _dropped) await DropAsync(stop);
        foreach ((ShardId shard, uint epoch) in _server.Learned)
        {
            if (_caughtUp.Contains((shard, epoch))) continue;
            await DecideAsync(new CaughtUp(_id, _self.Incarnation, shard, epoch), stop);
            _caughtUp.Add((shard, epoch));
        }
        if (beat.Decree > _chargesAsOf) await FetchChargesAsync(stop);
        if (Environment.TickCount64 - _auditedMs > AuditEvery.TotalMilliseconds) await AuditAsync(stop);
    }

    private async Task FetchViewAsync(CancellationToken stop)
    {
        if (await _council.AskAsync(new GetView(_viewDecree), stop) is not ViewAnswer { View: { } view }) return;
        Viewed?.Invoke(view);
        await _server.SetViewAsync(view);
        await GiveSignsAsync(view);
        Volatile.Write(ref _map, new ShardMap(view));
        _viewDecree = view.Decree;
        // What was said of shards that are learned no more needn't be remembered.
        _caughtUp.IntersectWith(_server.Learned);
        LogView(view.Decree);
        _serving.TrySetResult();
    }

    // To every seat, not to the leader alone: who leads next has heard of everybody already. A silo alone has nobody to tell, and sleeps.
    private Task GiveSignsAsync(ClusterView view)
    {
        Member[] others = [.. view.Members.Where(member => member.State != MemberState.Left && member.Id != _id)];
        if (others.Length == 0) return _server.StopSignsAsync();
        var peers = new List<PeerAddress>();
        foreach (Member member in others)
        {
            if (member.Council && IPEndPoint.TryParse(member.Endpoint, out IPEndPoint? endpoint)) peers.Add(UdpPeer.From(endpoint));
        }
        return _server.StartSignsAsync(_id, [.. peers]);
    }

    private async Task OfferAsync(ulong seat, CancellationToken stop)
    {
        await DecideAsync(new OfferSeat(_id, _self.Incarnation, seat), stop);
        _offered = seat;
    }

    private async Task DropAsync(CancellationToken stop)
    {
        bool more = true;
        while (more)
        {
            if (await _council.AskAsync(new GetDrops(_id, _self.Incarnation, _dropped), stop) is not DropsAnswer answer || answer.Drops.Count == 0) return;
            // A shard that is dropped must not be answered for any more.
            if (answer.ViewDecree > _viewDecree) await FetchViewAsync(stop);
            foreach (Drop drop in answer.Drops)
            {
                // Once only: that the council doesn't know of it yet, or that an old leader answers, doesn't mean that nothing has been stored there since.
                if (drop.Sequence <= _carriedOut) continue;
                await (drop.IsShard ? _server.DropShardAsync(drop.Shard)
                    : drop.Freed ? _server.DropSegmentAsync(drop.Segment) : _server.DropPagesAsync(drop.Segment, drop.FirstPage, drop.PageCount));
                _carriedOut = drop.Sequence;
            }
            ulong last = answer.Drops[^1].Sequence;
            await DecideAsync(new Dropped(_id, _self.Incarnation, last), stop);
            _dropped = last;
            more = answer.More;
            LogDropped(answer.Drops.Count, last);
        }
    }

    // Drops are told to the silos that are members when a segment is freed. Who joins later hears of none, and a client that doesn't know yet
    // that its session is over may write to it then.
    private async Task AuditAsync(CancellationToken stop)
    {
        var ids = new ulong[_server.PoolStatistics.Segments + CouncilMachine.AuditMax];
        int count = await _server.RunAsync(pool => pool.ListSegments(ids));
        int freed = 0;
        for (int from = 0; from < count; from += CouncilMachine.AuditMax)
        {
            SegmentId[] segments = [.. ids[from..Math.Min(count, from + CouncilMachine.AuditMax)].Select(id => new SegmentId(id))];
            if (await _council.AskAsync(new Audit(segments), stop) is not DropsAnswer answer) return;
            foreach (Drop drop in answer.Drops) await _server.DropSegmentAsync(drop.Segment);
            freed += answer.Drops.Count;
        }
        if (freed > 0) LogOrphans(freed);
        await AuditExtentsAsync(stop);
        _auditedMs = Environment.TickCount64;
    }

    // The same of what was cut off segments that live on.
    private async Task AuditExtentsAsync(CancellationToken stop)
    {
        var stored = new StoredExtent[_server.PoolStatistics.Extents + CouncilMachine.AuditMax];
        int count = await _server.RunAsync(pool => pool.ListExtents(stored));
        int dropped = 0;
        for (int from = 0; from < count; from += CouncilMachine.AuditMax)
        {
            StoredExtent[] some = stored[from..Math.Min(count, from + CouncilMachine.AuditMax)];
            if (await _council.AskAsync(new AuditExtents([.. some.Select(it => new ExtentId(it.Segment, it.Extent))]), stop) is not DropsAnswer answer) return;
            foreach (Drop drop in answer.Drops)
            {
                PageVersion newest = Array.Find(some, it => it.Segment == drop.Segment).Newest;
                dropped += await _server.RunAsync(pool => pool.DropOlder(drop.Segment, drop.FirstPage, drop.PageCount, newest));
            }
        }
        if (dropped > 0) LogCutOff(dropped);
    }

    // What is charged here is kept free for its owners; sparse segments share the rest.
    private async Task FetchChargesAsync(CancellationToken stop)
    {
        if (await _council.AskAsync(new Describe(), stop) is not StatusAnswer answer) return;
        foreach (MemberStatus member in answer.Status.Members)
        {
            if (member.Member.Id != _id) continue;
            await _server.SetSparsePagesMaxAsync(Math.Max(0, _self.Capacity - member.Charged) >> Layout.PageShift);
        }
        _chargesAsOf = answer.Decree;
    }

    private async Task<Result> DecideAsync(Command command, CancellationToken stop)
    {
        CouncilAnswer answer = await _council.AskAsync(new CommandRequest(default, command), stop);
        if (answer is not CommandAnswer decided) throw new CouncilRefusedException(answer.Error, answer.Message);
        if (decided.Result.Error is RumError.None or RumError.StaleView) return decided.Result;
        throw new CouncilRefusedException(decided.Result.Error, decided.Result.Message);
    }

    private void Troubled(string message)
    {
        if (_trouble == message) return;
        Volatile.Write(ref _trouble, message);
        LogTrouble(message);
    }

    private void Recovered()
    {
        if (_trouble.Length == 0) return;
        Volatile.Write(ref _trouble, "");
        LogRecovered();
    }

    [LoggerMessage(210, LogLevel.Information, "joined as silo {Id} under the name {Name}, incarnation {Incarnation}")]
    private partial void LogJoined(string name, ushort id, string incarnation);

    [LoggerMessage(211, LogLevel.Debug, "serving the view of decree {Decree}")]
    private partial void LogView(ulong decree);

    [LoggerMessage(212, LogLevel.Debug, "dropped the memory of {Count} freed segments or extents, up to drop {Last}")]
    private partial void LogDropped(int count, ulong last);

    [LoggerMessage(218, LogLevel.Information, "dropped what late writes had left here of {Count} segments that were freed")]
    private partial void LogOrphans(int count);

    [LoggerMessage(219, LogLevel.Information, "dropped {Count} pages that late writes had left here behind the end of segments")]
    private partial void LogCutOff(int count);

    [LoggerMessage(213, LogLevel.Warning, "{Trouble}; asking again until it answers")]
    private partial void LogTrouble(string trouble);

    [LoggerMessage(214, LogLevel.Information, "the council answers again")]
    private partial void LogRecovered();

    [LoggerMessage(215, LogLevel.Information, "left the cluster as silo {Id}")]
    private partial void LogLeft(ushort id);

    [LoggerMessage(217, LogLevel.Warning,
        "this silo stores {Pages} pages ({Size}) of {Segments} segments; those that have no other copy end with it: programs that use them wait or fail, naming the segment. rum silo drain moves them away first")]
    private partial void LogLeavesPages(long pages, string size, long segments);

    [LoggerMessage(216, LogLevel.Warning, "could not tell the council that this silo leaves: {Reason}")]
    private partial void LogLeaveFailed(string reason);
}

/// <summary>The council answered, but not with what was asked for.</summary>
public sealed class CouncilRefusedException(RumError error, string message) : Exception($"the council refuses: {message} ({error})")
{
    /// <summary>Why.</summary>
    public RumError Error { get; } = error;
}
