using System.Net;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Rum.Core;
using Rum.Core.Council;
using Rum.FastPath.Drivers;
using Rum.FastPath.Drivers.Udp;
using Rum.FastPath.Linux;
using Rum.FastPath.Server;
using Rum.Silo.Configuration;
using Rum.Silo.Control;
using Rum.Silo.Council;
using Rum.Silo.Http;
using Rum.Silo.Snapshots;

namespace Rum.Silo;

/// <summary>
/// A silo: page server on its drivers, the control plane, the council where this silo holds it, the place in the cluster, the web pages. Created,
/// started, run until stopped, disposed; each once.
/// </summary>
public sealed partial class SiloNode : IAsyncDisposable
{
    private static readonly TimeSpan HttpRestsAfter = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LeavePatience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LastSnapshotPatience = TimeSpan.FromMinutes(10);

    private readonly SiloSettings _settings;
    private readonly IRequestCarrier? _carrier;
    private readonly ILogger _log;
    private readonly ILoggerFactory _loggers;
    private readonly Incarnation _incarnation = DrawIncarnation();
    private readonly TaskCompletionSource _defect = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CouncilRouter _council;
    private readonly ControlPlane _control;
    private readonly PageServer _server;
    private readonly PageServerThread _thread;
    private readonly Membership _membership = null!;
    private readonly SnapshotKeeper _snapshots = null!;
    private readonly SiloMetrics _metrics;
    private readonly IReadOnlyList<IDriver> _drivers;
    private SiloHttp? _http;
    private SiloId _self;
    private int _disposed;

    private SiloNode(SiloSettings settings, ILoggerFactory loggers, IRequestCarrier? carrier)
    {
        _settings = settings;
        _carrier = carrier;
        _log = loggers.CreateLogger("Rum.Silo");
        _loggers = loggers;
        // Sockets before the council: a second silo at the same address must not touch the log.
        _drivers = BindDrivers();
        PagePool? pool = null;
        CouncilLeader? seat;
        try
        {
            pool = new PagePool(new PagePoolOptions { CapacityBytes = settings.Memory, DirectReads = OffersMemory() });
            Offer(pool);
            seat = OpenStore() is { } store ? TakeSeat(store) : null;
        }
        catch
        {
            pool?.Dispose();
            foreach (IDriver driver in _drivers) driver.Dispose();
            throw;
        }
        _council = new CouncilRouter(seat is null ? Others(settings) : settings.Silos, TimeSpan.FromSeconds(2)) { Here = seat };
        _control = new ControlPlane(() => _council.Leader.ToString(), carrier, _log) { Generation = () => _membership?.Map?.FrameGeneration ?? 0 };
        if (seat is not null) _control.Seat(seat);
        _server = new PageServer(_incarnation, pool, _drivers, _control, new PageServerOptions
        {
            PeerOf = PeerOf,
            ShardLearned = () => _membership?.News(),
            ViewIsBehind = () => _membership?.News(),
        });
        _thread = new PageServerThread(_server, Fail, ChooseCpu());
        _control.Start(_server, _council);
        _membership = new Membership(Describe(), _council, _server, _log)
        {
            Joined = silo =>
            {
                _self = silo;
                if (_council.Here is { } here) here.OwnSilo = silo;
            },
            Turned = _control.CountProgress,
            Viewed = Belong,
            SnapshotsChanged = () => _snapshots?.News(),
            Seat = () => _council.Here?.Seat ?? 0,
            Beside = carrier is null ? null : () => carrier.Trouble,
        };
        if (seat is not null) seat.News = TellMembership;
        _snapshots = new SnapshotKeeper(new SnapshotOptions(settings.SnapshotDirectory, settings.SnapshotEvery, settings.SnapshotKeep), _council, _server, _membership, _log);
        _metrics = new SiloMetrics(settings.Name, _server, _drivers, _control, _council);
    }

    /// <summary>Ready: a member that serves a view and that the council answers.</summary>
    public bool Ready => _membership.Ready;

    /// <summary>Its settings.</summary>
    public SiloSettings Settings => _settings;

    /// <summary>The council, here or elsewhere.</summary>
    public ICouncil Council => _council;

    /// <summary>Its place in the cluster: number and view.</summary>
    public Membership Membership => _membership;

    /// <summary>What answers below /dashboard, null for nothing.</summary>
    public Microsoft.AspNetCore.Http.RequestDelegate? Dashboard { get; set; }

    /// <summary>Its counters.</summary>
    public SiloMetrics Metrics => _metrics;

    /// <summary>Binds sockets, reads the log, starts the threads. Throws <see cref="SiloStartException"/> or <see cref="CouncilStoreException"/>.</summary>
    /// <param name="settings">Its settings.</param>
    /// <param name="loggers">Where it logs.</param>
    /// <param name="carrier">What carries the commands of programs; null: they go straight to the council.</param>
    public static SiloNode Create(SiloSettings settings, ILoggerFactory loggers, IRequestCarrier? carrier = null) => new(settings, loggers, carrier);

    /// <summary>Starts the web pages.</summary>
    public async Task StartAsync(ILoggerFactory loggers, CancellationToken stop)
    {
        if (_settings.Http is not null)
        {
            if (!IPAddress.IsLoopback(_settings.Http.Address) && _settings.HttpToken.Length == 0) LogOpenPages(_settings.Http.ToString());
            var here = new LocalView(_settings.Name, _incarnation.ToString(), _metrics, _server.ServiceTimes, _council);
            _http = new SiloHttp(_settings.Http, _settings.HttpToken, _membership, _council, here, _metrics, loggers, () => Dashboard, HttpRestsAfter);
            await _http.StartAsync(stop);
        }
        string transports = string.Join(", ", _drivers.Select(d => d.Traits.Name));
        LogStarted(_settings.Name, _settings.Self.ToString(), Core.Configuration.ByteSize.Format(_settings.Memory), transports, _incarnation.ToString());
    }

    /// <summary>Keeps the silo's place in the cluster until stopped; <paramref name="serving"/> is called once, when it has it.</summary>
    public async Task RunAsync(Action serving, CancellationToken stop)
    {
        // The silo serves and says that it lives until the last snapshot is made.
        using var end = new CancellationTokenSource();
        using CancellationTokenRegistration stopped = stop.Register(() => _ = EndAsync(end));
        Task keeper = _snapshots.RunAsync(end.Token);
        Task member = _membership.RunAsync(end.Token);
        Task first = await Task.WhenAny(member, _membership.Serving, _defect.Task);
        if (first == _membership.Serving)
        {
            serving();
            await Task.WhenAny(member, _defect.Task);
        }
        if (_defect.Task.IsFaulted) await _defect.Task;
        await member;
        await end.CancelAsync();
        await keeper;
        LogStopping();
        using var patience = new CancellationTokenSource(LeavePatience);
        await _membership.LeaveAsync(patience.Token);
    }

    private async Task EndAsync(CancellationTokenSource end)
    {
        try
        {
            if (_settings.SnapshotOnStop && _membership.Map is not null)
            {
                LogLastSnapshot();
                using var patience = new CancellationTokenSource(LastSnapshotPatience);
                bool made = await _snapshots.MakeAsync($"stop-{DateTimeOffset.UtcNow:yyyyMMdd-HHmmss}-{_self.Value}", patience.Token);
                if (!made) LogNoLastSnapshot("rum snapshot list says why");
            }
        }
        catch (Exception e) when (e is CouncilUnreachableException or CouncilRefusedException or OperationCanceledException)
        {
            LogNoLastSnapshot(e.Message);
        }
        finally
        {
            await end.CancelAsync();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        if (_http is not null) await _http.DisposeAsync();
        _metrics.Dispose();
        _control.Dispose();
        _council.Here?.Dispose();
        _council.Dispose();
        _thread.Dispose();
        LogStopped();
    }

    // A silo without a seat that asked itself would wait for itself.
    private static IReadOnlyList<IPEndPoint> Others(SiloSettings settings) =>
        settings.Silos.Count == 1 ? settings.Silos : [.. settings.Silos.Where(silo => !silo.Equals(settings.Self))];

    private Member Describe() => new(
        default,
        _settings.Name,
        _incarnation,
        _settings.Self.ToString(),
        _settings.Http is null ? "" : $"http://{_settings.Http}",
        _drivers.Any(d => d.Traits.Name == "shm") ? _settings.SharedMemoryPath : "",
        FastPath.Linux.BootId.Value,
        PublishedMac(),
        _settings.Label,
        _settings.Memory,
        Council: false);

    // Silos learn from each other by UDP, which is their first driver.
    private static PeerAddress? PeerOf(Member member) => System.Net.IPEndPoint.TryParse(member.Endpoint, out System.Net.IPEndPoint? endpoint) ? UdpPeer.From(endpoint) : null;

    private void Fail(Exception defect)
    {
        LogDefect(defect);
        _defect.TrySetException(defect);
    }

    private static Incarnation DrawIncarnation()
    {
        ulong drawn;
        do drawn = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8));
        while (drawn == 0);
        return new Incarnation(drawn);
    }

    [LoggerMessage(1, LogLevel.Information, "silo {Name} at {Address} offers {Memory} over {Transports}, incarnation {Incarnation}")]
    private partial void LogStarted(string name, string address, string memory, string transports, string incarnation);

    [LoggerMessage(12, LogLevel.Information, "making a last snapshot before the end")]
    private partial void LogLastSnapshot();

    [LoggerMessage(13, LogLevel.Error, "no last snapshot could be made: {Reason}")]
    private partial void LogNoLastSnapshot(string reason);

    [LoggerMessage(2, LogLevel.Information, "stopping")]
    private partial void LogStopping();

    [LoggerMessage(3, LogLevel.Information, "stopped")]
    private partial void LogStopped();

    [LoggerMessage(4, LogLevel.Information, "cluster {Cluster} is born in {Directory}")]
    private partial void LogBorn(Guid cluster, string directory);

    [LoggerMessage(5, LogLevel.Warning, "{Message}")]
    private partial void LogStore(string message);

    [LoggerMessage(6, LogLevel.Critical, "a defect ends this silo")]
    private partial void LogDefect(Exception defect);

    [LoggerMessage(7, LogLevel.Warning, "no shared memory: {Reason}; clients on this machine use UDP")]
    private partial void LogNoSharedMemory(string reason);

    [LoggerMessage(8, LogLevel.Warning, "the web pages at {Address} are open to whoever reaches it: addresses, keys and sizes of segments, names of clients (no contents); set http-token, or --http 127.0.0.1:PORT")]
    private partial void LogOpenPages(string address);
}
