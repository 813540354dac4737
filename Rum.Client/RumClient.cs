using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Rum.Core;
using Rum.Diagnostics;
using Rum.Native;
using Rum.Session;

namespace Rum;

/// <summary>
/// Remote memory for .NET: segments whose bytes live in silos, with a local cache of pages. All members may be called from any thread.
/// One process has one session: clients with equal settings share it, and the last one disposed ends it.
/// </summary>
/// <remarks>
/// Prefer <see cref="RumSegment.ReadAsync(long, Memory{byte}, CancellationToken)"/> and its kin: a missing page then makes only that call wait.
/// Next best is <see cref="RumSegment.PinAsync"/>. A plain load that misses (<see cref="RumSegment.DangerousGetSpan"/>) holds up every garbage
/// collection of the process, and with it every thread, until its page is there.
/// </remarks>
public sealed class RumClient : IAsyncDisposable
{
    private readonly NativeSession _session;
    private readonly ILogger _logger;
    private readonly CancellationTokenRegistration _lostRegistration;
    private readonly HashSet<RumSegment> _segments = [];
    private int _disposed;

    private RumClient(NativeSession session, RumClientOptions options, ILogger logger)
    {
        _session = session;
        _logger = logger;
        Options = options;
        _lostRegistration = session.Lost.UnsafeRegister(static state => RumClientLog.SessionLost((ILogger)state!), logger);
        RumClientMetrics.Started();
    }

    /// <summary>The settings it was made with.</summary>
    public RumClientOptions Options { get; }

    /// <summary>
    /// Cancelled when the silos ended the session because its heartbeats stopped for the lease: anonymous memory is freed, every page is unmapped
    /// and each further call throws <see cref="SessionExpiredException"/>.
    /// </summary>
    public CancellationToken SessionLost => _session.Lost;

    /// <summary>Whether it can be used: neither disposed nor its session lost.</summary>
    public bool IsConnected => Volatile.Read(ref _disposed) == 0 && !SessionLost.IsCancellationRequested;

    internal WaitThreads Waiters => _session.Waiters;

    /// <summary>Connects to the silos, or shares the session that this process has.</summary>
    /// <param name="options">Null: the environment's settings, else the local dev silo.</param>
    /// <param name="cancellationToken">Ends the waiting; a session that comes about afterwards is ended again.</param>
    /// <exception cref="RumUnavailableException">No silo answered.</exception>
    /// <exception cref="RumConfigurationException">A setting makes no sense, or this process has a session with other settings.</exception>
    /// <exception cref="UserfaultfdUnavailableException">This machine doesn't permit user-space page faults.</exception>
    public static ValueTask<RumClient> ConnectAsync(RumClientOptions? options = null, CancellationToken cancellationToken = default) =>
        ConnectAsync(options, null, cancellationToken);

    /// <summary>As above, and logs to <paramref name="logger"/>.</summary>
    public static async ValueTask<RumClient> ConnectAsync(RumClientOptions? options, ILogger? logger, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        // A copy: whoever made the options may change them.
        RumClientOptions settings = (options ?? new RumClientOptions()) with { };
        logger ??= NullLogger.Instance;
        using RumOperation operation = RumOperation.Start("connect");
        Task<NativeSession> connecting = Task.Factory.StartNew(
            static state => NativeSession.Acquire((RumClientOptions)state!), settings, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            NativeSession session = await connecting.WaitAsync(cancellationToken).ConfigureAwait(false);
            RumClientLog.Connected(logger, settings.Machines ?? "local dev silo");
            return new RumClient(session, settings, logger);
        }
        catch (OperationCanceledException)
        {
            _ = connecting.ContinueWith(static late => late.Result.Release(), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
            throw;
        }
        catch (Exception failure)
        {
            operation.Failed(failure);
            RumClientLog.ConnectFailed(logger, failure.Message);
            throw;
        }
    }

    /// <summary>Allocates a segment of its own. For many small objects use <see cref="RumMemory.Alloc(long)"/>: it costs no round trip.</summary>
    /// <param name="bytes">1 to <see cref="Layout.MaxSegmentSize"/>. Untouched pages read as zeros and cost no round trip.</param>
    /// <param name="allocation">Name, place and charging; default: anonymous, spread, charged.</param>
    /// <param name="cancellationToken">Ends the waiting; a segment that comes about afterwards is freed again.</param>
    /// <exception cref="OutOfRemoteMemoryException">The silos have no room.</exception>
    /// <exception cref="SegmentExistsException">There is a segment with that key.</exception>
    public async ValueTask<RumSegment> AllocateAsync(long bytes, RumAllocation allocation = default, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, Layout.MaxSegmentSize);
        MappedSegment mapped = default;
        await ControlAsync("allocate", () => Calls.Allocate(bytes, allocation, out mapped), () => Abandon(mapped.Address, allocation.Key), cancellationToken).ConfigureAwait(false);
        RumClientLog.Allocated(_logger, bytes, mapped.Id);
        return Add(new RumSegment(this, mapped, allocation.Key, RumAccess.Write));
    }

    /// <summary>Opens a named segment.</summary>
    /// <exception cref="SegmentNotFoundException">No segment has that key.</exception>
    /// <exception cref="SegmentBusyException">For writing: another session has it open for writing.</exception>
    public async ValueTask<RumSegment> OpenAsync(SegmentKey key, RumAccess access = RumAccess.Write, CancellationToken cancellationToken = default)
    {
        if (key.IsAnonymous) throw new ArgumentException("The zero key names no segment.", nameof(key));
        MappedSegment mapped = default;
        await ControlAsync("open", () => Calls.Open(key, access, out mapped), () => _ = LibRum.rum_close(mapped.Address), cancellationToken).ConfigureAwait(false);
        RumClientLog.Opened(_logger, key, access, mapped.Id);
        return Add(new RumSegment(this, mapped, key, access));
    }

    /// <summary>Opens the segment of a name.</summary>
    public ValueTask<RumSegment> OpenAsync(string name, RumAccess access = RumAccess.Write, CancellationToken cancellationToken = default) =>
        OpenAsync(SegmentKey.FromName(name), access, cancellationToken);

    /// <summary>Deletes a named segment and its bytes. False: there was none.</summary>
    /// <exception cref="SegmentBusyException">A session has it open.</exception>
    public async ValueTask<bool> DeleteAsync(SegmentKey key, CancellationToken cancellationToken = default)
    {
        if (key.IsAnonymous) throw new ArgumentException("The zero key names no segment.", nameof(key));
        lock (_segments)
        {
            if (_segments.Any(segment => segment.Key == key)) throw RumErrors.Create(RumError.SegmentBusy, $"This client has the segment {key} open. Dispose it first.");
        }

        try
        {
            await ControlAsync("delete", () => Calls.Delete(key), null, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (SegmentNotFoundException)
        {
            return false;
        }
    }

    /// <summary>Deletes the segment of a name. False: there was none.</summary>
    public ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken = default) => DeleteAsync(SegmentKey.FromName(name), cancellationToken);

    /// <summary>Returns when every store made before the call, to any segment, is on the silos. The only ordering tool; not atomic across pages.</summary>
    public ValueTask FlushAsync(CancellationToken cancellationToken = default) =>
        ControlAsync("flush", static () => LibRum.rum_flush(0, 0), null, cancellationToken);

    /// <summary>Counters since the session's start, and gauges as of now.</summary>
    public RumStatistics GetStatistics()
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
        return new RumStatistics(Calls.Statistics());
    }

    /// <summary>
    /// Disposes its segments (named: flushed and closed; anonymous: freed) and, as the session's last user, ends the session.
    /// Throws what the first failing flush threw, after everything was ended.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        RumSegment[] open;
        lock (_segments) open = [.. _segments];
        Exception? first = null;
        foreach (RumSegment segment in open)
        {
            try
            {
                await segment.DisposeAsync().ConfigureAwait(false);
            }
            catch (Exception failure)
            {
                first ??= failure;
            }
        }

        _lostRegistration.Dispose();
        RumClientMetrics.Ended();
        await Task.Factory.StartNew(_session.Release, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
        RumClientLog.Disposed(_logger);
        if (first is not null) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(first);
    }

    internal async ValueTask ControlAsync(string name, Func<int> call, Action? undo, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
        cancellationToken.ThrowIfCancellationRequested();
        using RumOperation operation = RumOperation.Start(name);
        try
        {
            await Waiters.RunAsync(new ControlCall(call, undo), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (operation.Failed(failure))
        {
            throw;
        }
    }

    internal void Remove(RumSegment segment)
    {
        lock (_segments) _segments.Remove(segment);
    }

    private RumSegment Add(RumSegment segment)
    {
        lock (_segments) _segments.Add(segment);
        return segment;
    }

    private static void Abandon(nint address, SegmentKey key)
    {
        _ = LibRum.rum_close(address);
        if (!key.IsAnonymous) _ = Calls.Delete(key);
    }
}
