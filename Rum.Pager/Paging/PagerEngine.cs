using Rum.Core;
using Rum.FastPath.Client;

namespace Rum.Pager.Paging;

/// <summary>
/// The pager's decisions: faults, read-ahead, eviction, write-back, commands. Without thread, clock or system call of its own: one owner
/// feeds it faults and commands, calls <see cref="Step"/>, and gives it a machine (<see cref="IPageMapper"/>) and pages
/// (<see cref="IPageChannel"/>). Allocates nothing after start but per region.
/// </summary>
/// <remarks>
/// Invariant: unbacked + backed slots + resident pages == CachePages, so the cache limit is kept exactly. A page's only current copy is where
/// its word says; a slot is reused only after the write of its image was acknowledged.
/// </remarks>
public sealed unsafe partial class PagerEngine : IDisposable
{
    private const int CompletionBatch = 64;

    private readonly IPageMapper _mapper;
    private readonly IPageChannel _channel;
    private readonly IPagerEvents _events;
    private readonly PagerEngineOptions _options;
    private readonly SlotPool _slots;
    private readonly ResidentList _residents;
    private readonly RegionTable _regions = new();
    private readonly PageHash _hash;
    private readonly ulong _zeroHash;
    private readonly ulong[] _slotHash;
    private readonly PageCompletion[] _completions = new PageCompletion[CompletionBatch];
    private readonly TimeHistogram _faultTimes = new();
    private readonly int _freeTarget;
    private readonly int _keepSlots;
    private int _unbacked;
    private int _landing;
    private readonly int _landingMax;
    private bool _replenish;
    private RumError _revoked;

    /// <summary>Slots the mapper must provide: twice the cache, so that a run of holes is always found.</summary>
    public static int SlotsFor(int cachePages) => (2 * cachePages + 2 * SlotPool.Run - 1) / SlotPool.Run * SlotPool.Run;

    /// <summary>Starts an engine; the channel gets its landing buffers.</summary>
    public PagerEngine(IPageMapper mapper, IPageChannel channel, IPagerEvents events, PagerEngineOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.CachePages, 16);
        _mapper = mapper;
        _channel = channel;
        _events = events;
        _options = options;
        int pages = options.CachePages;
        _slots = new SlotPool(SlotsFor(pages));
        _residents = new ResidentList(pages);
        _hash = new PageHash(options.HashKey, true, options.Defect == PagerDefect.ShortHash ? 15 : ulong.MaxValue);
        _slotHash = new ulong[_slots.Slots];
        _unbacked = pages;
        _window = Math.Min(Math.Min(options.WindowPages, SlotPool.Run), Math.Max(pages / 32, 1));
        _freeTarget = Math.Clamp(pages / 16, 4, 64);
        _keepSlots = mapper.Moves ? 0 : Math.Max(8, _freeTarget);
        _fetches = new Fetch[FetchCount];
        _queue = new int[FetchCount];
        for (int f = FetchCount - 1; f >= 0; f--) ReleaseFetch(f);
        // Not all of the channel, or reads find no room while a silo is slow to take writes.
        _writes = new WriteBack[Math.Clamp(Math.Min(channel.Capacity * 3 / 4, pages / 2), 2, 4096)];
        _writesPerSiloMax = _writes.Length / 2;
        _writeQueue = new int[_writes.Length];
        for (int w = _writes.Length - 1; w >= 0; w--) ReleaseWrite(w);
        byte* zeros = stackalloc byte[Layout.PageSize];
        new Span<byte>(zeros, Layout.PageSize).Clear();
        _zeroHash = _hash.Of(zeros);
        // The smallest caches have none to spare.
        _landingMax = Math.Max(Math.Min(pages / 8, pages / 4 - 8), 0);
        LendLanding();
    }

    /// <summary>Whether a command is being carried out.</summary>
    public bool HasCommands => _activeCount > 0;

    /// <summary>Whether someone waits for what only <see cref="Step"/> brings: a fault, a command, room.</summary>
    public bool Urgent => _waiting > 0 || _activeCount > 0 || _queued > 0;

    /// <summary>
    /// Whether <see cref="Step"/> must be called even if no fault comes. Otherwise answers that are outstanding (acknowledgements, windows
    /// fetched ahead) can wait for the next fault.
    /// </summary>
    public bool NeedsSteps => Urgent || _writeQueued > 0 || _jobCount > 0 || _channel.Outstanding > 0 && _channel.NeedsTimers;

    /// <summary>When timers are due, by the mapper's clock. Any thread.</summary>
    internal long NextTimerNs => Volatile.Read(ref _nextTimerNs);

    /// <summary>When <see cref="Step"/> must be called again at the latest, by the mapper's clock, while <see cref="NeedsSteps"/>.</summary>
    public long NextDeadlineNs =>
        Math.Min(
            Math.Min(_channel.Outstanding > 0 ? _channel.NextDeadlineNs : long.MaxValue, Urgent || _writeQueued > 0 ? _nextTimerNs : long.MaxValue),
            HeldDeadlineNs);

    /// <summary>Advances everything that can advance; returns whether something did. <paramref name="timers"/> false: what is late stays so for now.</summary>
    public bool Step(long nowNs, bool timers = true)
    {
        bool moved = false;
        if (_queued > 0) moved |= IssueQueued();
        if (_writeQueued > 0) moved |= SendQueuedWrites();
        _channel.Submit();
        moved |= Receive(nowNs);
        if (_replenish)
        {
            // While the answer is on its way, or after the thread that waited was woken: eviction is never what it waits for.
            Replenish();
            _channel.Submit();
            moved |= Receive(nowNs);
        }

        if (_heldCount > 0) moved |= ReleaseHeld(nowNs);
        if (_jobCount > 0) RunPrefetchJobs();
        if (_rescuesWanted > 0) moved |= RetryRescues(nowNs);
        if (_activeCount > 0) moved |= AdvanceCommands();
        if (moved) _channel.Submit();
        if (timers && nowNs >= _nextTimerNs) RunTimers(nowNs);
        return moved;
    }

    /// <summary>Checks the invariants that can be seen at rest; for tests and the simulator.</summary>
    public void CheckInvariants() =>
        Invariant.Check(_unbacked + _slots.Backed + _residents.Count == _options.CachePages);

    /// <summary>The same when nothing is under way and nothing is mapped: every slot is free, a hole, or lent to the channel.</summary>
    public void CheckIdle()
    {
        CheckInvariants();
        Invariant.Check(_slots.Free + _slots.Holes + _landing == _slots.Slots && _unusedWrites == _writes.Length && _waiting == 0 && _evicting == 0 && _queued == 0 && _writeQueued == 0);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        while (_regions.Open.Length > 0) Retire(_regions.Open[0]);
    }

    private bool Receive(long nowNs)
    {
        bool any = false;
        int n;
        do
        {
            n = _channel.Poll(nowNs, _completions);
            for (int i = 0; i < n; i++)
            {
                ref PageCompletion c = ref _completions[i];
                switch (c.Operation)
                {
                    case PageOperation.Read: ReadEnded(ref c, nowNs); break;
                    case PageOperation.Write: WriteEnded(ref c, nowNs); break;
                    case PageOperation.TakeOver: TakeOverEnded(ref c); break;
                    default: TrimEnded(ref c); break;
                }
            }

            any |= n > 0;
            MapTouched();
        }
        while (n == CompletionBatch);
        LendLanding();
        return any;
    }

    private byte* SlotAddress(int slot) => _mapper.Slots + ((long)slot << Layout.PageShift);

    private int SlotOf(byte* image) => (int)((image - _mapper.Slots) >> Layout.PageShift);

    /// <summary>Free slots for up to <paramref name="want"/> pages in a run, backed from what the cache has never used if need be; -1: none.</summary>
    private int TakeSlots(int want, out int got)
    {
        if (want > 1 && _slots.Free < want && _unbacked >= want || _slots.Free == 0 && _unbacked > 0)
        {
            int slot = _slots.TakeHoles(Math.Min(want, _unbacked), out got);
            _mapper.BackSlots(slot, got);
            _unbacked -= got;
            return slot;
        }

        return _slots.TakeFree(want, out got);
    }

    private void GiveSlots(int slot, int count)
    {
        for (int i = 0; i < count; i++) _slots.GiveFree(slot + i);
    }

    /// <summary>Physical pages for a mapping that brings its own: unused ones, else those of free slots.</summary>
    private bool TakeUnbacked(int count)
    {
        while (_unbacked < count)
        {
            if (_slots.Free <= _keepSlots) return false;
            int slot = _slots.TakeFree(count - _unbacked, out int got);
            _mapper.UnbackSlots(slot, got);
            for (int i = 0; i < got; i++) _slots.GiveHole(slot + i);
            _unbacked += got;
        }

        _unbacked -= count;
        return true;
    }

    /// <summary>The channel knows what it wants only when it knows its drivers, which come and go.</summary>
    private int LandingWanted => Math.Min(_channel.LandingBuffers, _landingMax);

    private void LendLanding()
    {
        int wanted = LandingWanted;
        // Some stay for those who wait.
        while (_landing < wanted && _slots.Free + _unbacked > _keepSlots + _freeTarget / 2)
        {
            int slot = TakeSlots(1, out _);
            if (slot < 0) return;
            _channel.Lend(SlotAddress(slot));
            _landing++;
            _replenish = true;
        }
    }
}
