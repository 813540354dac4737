using Microsoft.Extensions.Logging;
using Rum.Core;
using Rum.Core.Council;
using Rum.Core.Paxos;
using Rum.Core.Sessions;
using Rum.Silo.Storage;

namespace Rum.Silo.Council;

/// <summary>
/// This silo's seat of the council: takes what was asked and what other seats say, and leads where it was elected: all commands that wait become one
/// decree, answered when a quorum has it on disk. Elsewhere it names the leader. Leases and silence are the leader's own memory, not decrees. One thread at a time has the turn and
/// with it all state: the seat's own, or one that asks while nobody has it. Public members may be called from any thread.
/// </summary>
public sealed partial class CouncilLeader : ICouncil, IDisposable
{
    /// <summary>Requests that may wait; more are refused, and their senders ask again.</summary>
    public const int QueueMax = 1024;

    /// <summary>Commands in one decree.</summary>
    public const int BatchMax = 256;

    /// <summary>Bytes of log after which the state is written as a checkpoint.</summary>
    public const long CheckpointBytes = 4 << 20;

    private readonly ICouncilStore _store;
    private readonly CouncilLink? _link;
    private readonly PaxosMember _core;
    private readonly Queue<Asked> _asked = new();
    private readonly Queue<PaxosEnvelope> _letters = new();
    private readonly object _door = new();

    // Never disposed: whoever comes late may set it still.
    private readonly AutoResetEvent _bell = new(false);
    private readonly Func<long> _nowNs;
    private readonly int _leaseMs;
    private readonly SilenceOptions _silenceOptions;
    private readonly ILogger _log;
    private readonly Action<Exception> _failed;
    private readonly Thread _thread;
    private CouncilMachine _machine;
    private LeaseTable _leases = new();
    private CouncilCounters _counters;
    private ushort _ownSilo;
    private uint _frameGeneration;
    private bool _closed, _sleeps;

    /// <summary>Recovers the state from the store, which it takes over, and starts the thread. Throws <see cref="CouncilStoreException"/>.</summary>
    /// <param name="store">Checkpoint and log.</param>
    /// <param name="leaseMs">The lease of sessions that ask for none.</param>
    /// <param name="nowNs">A monotonic clock in nanoseconds.</param>
    /// <param name="log">Where it logs.</param>
    /// <param name="failed">Told, by whoever has the turn then, what ended it: nothing is decided any more, so the process should end.</param>
    /// <param name="link">To the other seats; taken over. Null: a council of one that stays alone.</param>
    /// <param name="silence">From when on a silo counts as silent.</param>
    public CouncilLeader(
        ICouncilStore store, int leaseMs, Func<long> nowNs, ILogger log, Action<Exception> failed, CouncilLink? link = null, SilenceOptions? silence = null)
    {
        _silenceOptions = silence ?? new SilenceOptions();
        _silence = new SilenceTable(_silenceOptions);
        _store = store;
        _link = link;
        _leaseMs = leaseMs;
        _nowNs = nowNs;
        _log = log;
        _failed = failed;
        _machine = new CouncilMachine(store.ClusterId, store.Generation);
        _core = new PaxosMember(
            store.Seat, store.Start, (ulong)Random.Shared.NextInt64(), store.Found, new Replicated(this), nowNs(), Random.Shared.Next, new PaxosOptions { KeptMax = 128 });
        LogRecovered(store.ClusterId, store.Generation, _core.Chosen, _machine.Sessions.Count());
        _thread = new Thread(Run) { IsBackground = true, Name = "rum-council" };
        _thread.Start();
    }

    /// <summary>The cluster.</summary>
    public Guid ClusterId => _store.ClusterId;

    /// <summary>Its generation.</summary>
    public uint Generation => _store.Generation;

    /// <summary>This silo's seat.</summary>
    public ulong Seat => _store.Seat;

    /// <summary>Counters. The fields may be a moment apart.</summary>
    public CouncilCounters Counters => _counters;

    /// <summary>How long it took to make records durable, each time since the start.</summary>
    public IReadOnlyList<long> SyncTimes => _syncs.Snapshot();

    /// <summary>What was decided and noticed lately.</summary>
    public CouncilJournal Journal { get; } = new(TimeProvider.System);

    /// <inheritdoc/>
    public bool LeadsHere => Volatile.Read(ref _leading);

    /// <summary>The silo of this very process, 0 while unknown: as long as the council's thread runs it is not silent.</summary>
    public SiloId OwnSilo
    {
        get => new(Volatile.Read(ref _ownSilo));
        set => Volatile.Write(ref _ownSilo, value.Value);
    }

    /// <summary>
    /// How long after a lease's end the council ends the session by itself. Above zero where others propose it first (session grains do); it
    /// then is what ends the sessions that nobody watches any more.
    /// </summary>
    public TimeSpan ExpiryGrace { get; init; }

    /// <summary>Called by whoever has the turn after decrees and when leadership comes or goes. It must be short.</summary>
    public Action<CouncilNews>? News { get; set; }

    /// <summary>What frames of this cluster carry, as far as this seat has applied its decrees. Any thread.</summary>
    public uint FrameGeneration => Volatile.Read(ref _frameGeneration);

    /// <summary>Asks; <paramref name="answer"/> is called by whoever does the council's work then, and must be short. False: too many wait.</summary>
    /// <param name="request">The request.</param>
    /// <param name="answer">Takes the answer.</param>
    /// <param name="generation">What the asker's frames carry, 0 where it belongs to no cluster yet: of another one than this nothing is done for it.</param>
    public bool TryAsk(CouncilRequest request, Action<CouncilAnswer> answer, uint generation = 0)
    {
        bool ring;
        lock (_door)
        {
            if (!TryQueue(new Asked(request, answer, generation))) return false;
            ring = MustRing();
        }
        if (ring) _bell.Set();
        return true;
    }

    /// <summary>Takes a message of another seat as it came from the network; what is none, or is for somebody else, is dropped.</summary>
    public void Deliver(ReadOnlySpan<byte> message)
    {
        if (PaxosCodec.Decode(message) is not { } letter || letter.ClusterId != ClusterId || letter.Generation != Generation || letter.To != Seat) return;
        bool ring;
        lock (_door)
        {
            if (_closed || _letters.Count >= QueueMax) return;
            _letters.Enqueue(letter);
            ring = MustRing();
        }
        if (ring) _bell.Set();
    }

    /// <summary>
    /// Asks, and where nobody else asks and nobody has the turn does the council's work itself, the disk's part included: the answer then comes without a change of threads
    /// (docs/adr/0242).
    /// </summary>
    public async Task<CouncilAnswer> AskAsync(CouncilRequest request, CancellationToken cancellation)
    {
        var answered = new TaskCompletionSource<CouncilAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
        bool own, ring;
        lock (_door)
        {
            if (!TryQueue(new Asked(request, answered.SetResult, 0))) throw new CouncilUnreachableException("the council of this silo is overloaded or stopping");
            // Where many ask, they are better served together, by a thread that none of them needs meanwhile.
            own = _alone >= AloneMin && _asked.Count == 1 && TryTakeTurn();
            ring = MustRing();
        }
        if (ring) _bell.Set();
        if (own && !TakeTurn()) throw new CouncilUnreachableException("the council's seat at this silo has just ended by a defect, which the silo's log names");
        return await answered.Task.WaitAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>Answers what waits, writes a checkpoint and ends the thread. Disposes store and link.</summary>
    public void Dispose()
    {
        lock (_door) _closed = true;
        _bell.Set();
        _thread.Join();
        _store.Dispose();
        _link?.Dispose();
    }

    private bool TryQueue(Asked asked)
    {
        if (_closed || _ended || _asked.Count >= QueueMax) return false;
        _asked.Enqueue(asked);
        return true;
    }

    private readonly record struct Asked(CouncilRequest Request, Action<CouncilAnswer> Answer, uint Generation);
}

/// <summary>What is new at a seat.</summary>
public enum CouncilNews
{
    /// <summary>Decrees that leave the view as it was: segments, sessions, drops.</summary>
    Decrees,

    /// <summary>Another view, or leadership has come or gone: silos should ask at once.</summary>
    View,
}

/// <summary>What this seat has done since its start.</summary>
public struct CouncilCounters
{
    /// <summary>Decrees applied.</summary>
    public long Decrees;

    /// <summary>Commands in them.</summary>
    public long Commands;

    /// <summary>Requests that only read.</summary>
    public long Queries;

    /// <summary>Living silos that somebody else doubted, and that were listened to more closely for it.</summary>
    public long Doubts;

    /// <summary>Sessions whose lease ended.</summary>
    public long SessionsExpired;

    /// <summary>Nanoseconds spent in making records durable.</summary>
    public long SyncNs;

    /// <summary>Checkpoints written.</summary>
    public long Checkpoints;

    /// <summary>The last decree.</summary>
    public ulong Decree;

    /// <summary>Bytes of log since the last checkpoint.</summary>
    public long LogBytes;

    /// <summary>Open sessions.</summary>
    public long Sessions;

    /// <summary>Times that this seat became the leader.</summary>
    public long Elections;
}
