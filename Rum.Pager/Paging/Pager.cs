using System.Security.Cryptography;
using Rum.Core;
using Rum.FastPath.Client;
using Rum.Pager.Linux;

namespace Rum.Pager.Paging;

/// <summary>The pager of a process: one thread, one userfaultfd, one cache. See <see cref="PagerEngine"/> for what it decides.</summary>
public sealed partial class Pager : IPager, IResidentAccess
{
    private readonly Userfaultfd _uffd;

    // The same where a thread handles faults; in inline mode one of its own, since there the other sends no messages.
    private readonly Userfaultfd _bell;
    private readonly LinuxPageMapper _mapper;
    private readonly Doorbell _doorbell;
    private readonly IPageChannel _channel;
    private readonly PagerOptions _options;
    private readonly Thread _thread;
    private readonly CpuPlacement _placement;
    private readonly PagerEngine _engine;
    private long _managedBytes;
    private readonly Lock _ending = new();
    private bool _disposed;

    private Pager(Userfaultfd uffd, Userfaultfd bell, InlineFaults? faults, bool move, IPageChannel channel, PagerOptions options)
    {
        _uffd = uffd;
        _bell = bell;
        _faults = faults;
        _channel = channel;
        _options = options;
        int pages = (int)(options.CacheBytes >> Layout.PageShift);
        _mapper = new LinuxPageMapper(uffd, PagerEngine.SlotsFor(pages), move, faults, options.Trace);
        _doorbell = new Doorbell(bell);
        _placement = new CpuPlacement(options.FollowFaults && uffd.HasThreadId);
        _engine = new PagerEngine(_mapper, channel, new Events(this), new PagerEngineOptions
        {
            CachePages = pages,
            FaultTimeoutNs = (long)(options.FaultTimeout.TotalMilliseconds * 1e6),
            GoneTimeoutNs = (long)(options.GoneTimeout.TotalMilliseconds * 1e6),
            EvictionBatch = options.EvictionBatch,
            WindowPages = options.WindowPages,
            HashKey = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)),
            Defect = options.Defect,
        });
        if (faults is not null)
        {
            bell.SetNonBlocking(true);
            s_inline = this;
        }

        _thread = new Thread(faults is null ? Run : RunInline) { IsBackground = true, Name = "rum-pager" };
        _thread.Start();
    }

    /// <summary>
    /// Opens userfaultfd and starts the pager thread, which from then on owns <paramref name="channel"/>. On failure <paramref name="why"/>
    /// says what to do.
    /// </summary>
    public static RumError Start(IPageChannel channel, PagerOptions options, out Pager? pager, out string why)
    {
        pager = null;
        if (options.CacheBytes < 64 << 10 || options.CacheBytes >> Layout.PageShift > int.MaxValue / 4)
        {
            why = $"a cache of {options.CacheBytes} bytes is out of range: at least 64K, at most 2T";
            return RumError.BadConfiguration;
        }

        bool inline = options.Faults == FaultMode.Inline;
        RumError error = Userfaultfd.Open(inline, out Userfaultfd? uffd, out why);
        if (error != RumError.None) return error;
        bool move = options.Mode != PagerMode.Copy && uffd!.HasMove;
        if (options.Mode == PagerMode.Move && !move) why = "this kernel has no UFFDIO_MOVE (Linux 6.8 or newer); use copy or auto";
        if (!move && !uffd!.HasWriteProtect) why = "this kernel has neither UFFDIO_MOVE nor write-protection for userfaultfd (Linux 5.7 or newer)";
        if (why.Length > 0)
        {
            uffd!.Dispose();
            return RumError.UserfaultfdUnavailable;
        }

        if (!inline)
        {
            pager = new Pager(uffd!, uffd!, null, move, channel, options);
            return RumError.None;
        }

        error = StartInline(uffd!, out Userfaultfd? bell, out InlineFaults? faults, out why);
        if (error == RumError.None) pager = new Pager(uffd!, bell!, faults, move, channel, options);
        else uffd!.Dispose();
        return error;
    }

    /// <summary>Whether pages are moved (else copied).</summary>
    public bool Moves => _mapper.Moves;

    /// <summary>Faults of system calls on remote pointers don't work: userfaultfd was permitted for user mode only.</summary>
    public bool UserModeOnly => _uffd.UserModeOnly;

    /// <inheritdoc/>
    public RumError Map(in RegionOptions options, out nint address) => Map(options, out address, out _);

    /// <inheritdoc/>
    public RumError Map(in RegionOptions options, out nint address, out Incarnation silent)
    {
        PagerCommand command = _doorbell.Claim(PagerCommandKind.Map);
        command.Region = options;
        return _doorbell.Ring(command, out address, out silent);
    }

    /// <inheritdoc/>
    public RumError Resize(nint address, long bytes) => Do(PagerCommandKind.Resize, address, bytes);

    /// <inheritdoc/>
    public RumError Unmap(nint address, bool writeBack)
    {
        PagerCommand command = _doorbell.Claim(PagerCommandKind.Unmap);
        command.Address = address;
        command.WriteBack = writeBack;
        return _doorbell.Ring(command, out _);
    }

    /// <inheritdoc/>
    public RumError Discard(nint address, long length) => Do(PagerCommandKind.Discard, address, length);

    /// <inheritdoc/>
    public RumError Prefetch(nint address, long length) => Do(PagerCommandKind.Prefetch, address, length);

    /// <inheritdoc/>
    public RumError Flush(nint address, long length) => Do(PagerCommandKind.Flush, address, length);

    /// <inheritdoc/>
    public RumError FlushAndDrop(nint address, long length) => Do(PagerCommandKind.FlushAndDrop, address, length);

    /// <inheritdoc/>
    public RumError Pin(nint address, long length) => Do(PagerCommandKind.Pin, address, length);

    /// <inheritdoc/>
    public RumError Unpin(nint address, long length) => Do(PagerCommandKind.Unpin, address, length);

    /// <inheritdoc/>
    public RumError TryPin(nint address, long length) => _engine.TryPin(address, length);

    /// <inheritdoc/>
    public bool PinsLeaveRoom => _engine.PinsLeaveRoom;

    /// <inheritdoc/>
    public void EndTryPin(nint address, long length) => _engine.EndTryPin(address, length);

    /// <inheritdoc/>
    public RumError Hold(nint address, long length) => Do(PagerCommandKind.Hold, address, length);

    /// <inheritdoc/>
    public void EndHold(nint address, long length) => _engine.EndHold(address, length);

    /// <inheritdoc/>
    public RumError TryCopy(nint remote, nint local, long length, bool write) => _engine.TryCopy(remote, local, length, write);

    /// <inheritdoc/>
    public void Revoke(RumError why)
    {
        lock (_ending)
        {
            if (_disposed) return;
            PagerCommand command = _doorbell.Claim(PagerCommandKind.Revoke);
            command.Why = why;
            _doorbell.Ring(command, out _);
        }
    }

    /// <inheritdoc/>
    public PagerStatistics Statistics => _engine.Statistics(Volatile.Read(ref _managedBytes));

    /// <summary>
    /// Ends the thread and leaves everything mapped: from now on a fault waits until the process is gone. For a process that is exiting while
    /// threads of its program still run.
    /// </summary>
    public void Freeze()
    {
        if (!TryEnd()) return;
        _faults?.Freeze();
        _doorbell.Ring(_doorbell.Claim(PagerCommandKind.Stop), out _);
        _thread.Join();
    }

    /// <summary>Unmaps every region, without writing back, and ends the thread. The channel stays its owner's.</summary>
    public void Dispose()
    {
        if (!TryEnd()) return;
        PagerCommand stop = _doorbell.Claim(PagerCommandKind.Stop);
        _doorbell.Ring(stop, out _);
        _thread.Join();
        if (_faults is null) _engine.Dispose();
        else EndInline();
        _doorbell.Dispose();
        _mapper.Dispose();
        _uffd.Dispose();
        if (_bell != _uffd) _bell.Dispose();
    }

    /// <summary>Waits for a <see cref="Revoke"/> that is under way: its bell must not be taken from under it. A session may end at any moment, also while its program ends.</summary>
    private bool TryEnd()
    {
        lock (_ending)
        {
            if (_disposed) return false;
            return _disposed = true;
        }
    }

    private RumError Do(PagerCommandKind kind, nint address, long length)
    {
        PagerCommand command = _doorbell.Claim(kind);
        command.Address = address;
        command.Length = length;
        return _doorbell.Ring(command, out _);
    }
}
