using Microsoft.Extensions.Logging;
using Rum.Core;
using Rum.Core.Council;
using Rum.Core.Sessions;
using Rum.Silo.Storage;

namespace Rum.Silo.Council;

/// <summary>
/// The council where it is one silo: a thread that takes what was asked meanwhile, decides all its commands as one decree, and answers when the decree
/// is durable. Leases are its own memory, not decrees. Public members may be called from any thread.
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
    private readonly CouncilMachine _machine;
    private readonly LeaseTable _leases = new();
    private readonly SilenceTable _silence = new();
    private readonly Queue<Asked> _asked = new();
    private readonly object _door = new();
    private readonly Func<long> _nowNs;
    private readonly int _leaseMs;
    private readonly ILogger _log;
    private readonly Action<Exception> _failed;
    private readonly Thread _thread;
    private CouncilCounters _counters;
    private ushort _ownSilo;
    private bool _closed;

    /// <summary>Recovers the state from the store, which it takes over, and starts the thread. Throws <see cref="CouncilStoreException"/>.</summary>
    /// <param name="store">Checkpoint and log.</param>
    /// <param name="leaseMs">The lease of sessions that ask for none.</param>
    /// <param name="nowNs">A monotonic clock in nanoseconds.</param>
    /// <param name="log">Where it logs.</param>
    /// <param name="failed">Told, on the dying thread, what ended it: nothing is decided any more, so the process should end.</param>
    public CouncilLeader(ICouncilStore store, int leaseMs, Func<long> nowNs, ILogger log, Action<Exception> failed)
    {
        _store = store;
        _leaseMs = leaseMs;
        _nowNs = nowNs;
        _log = log;
        _failed = failed;
        _machine = Recover(store);
        // Nobody could renew while there was no leader: everyone gets a full lease.
        foreach (SessionId session in _machine.Sessions)
        {
            if (_machine.TryGetLease(session, out int its)) _leases.Grant(session, its * 1_000_000L, nowNs());
        }
        foreach (Member member in _machine.View.Members)
        {
            if (member.State == MemberState.Up) _silence.Hear(member.Id, nowNs());
        }
        LogRecovered(_machine.ClusterId, _machine.Generation, _machine.Decree, _leases.Count);
        _thread = new Thread(Run) { IsBackground = true, Name = "rum-council" };
        _thread.Start();
    }

    /// <summary>The cluster.</summary>
    public Guid ClusterId => _machine.ClusterId;

    /// <summary>Counters. The fields may be a moment apart.</summary>
    public CouncilCounters Counters => _counters;

    /// <summary>What was decided and noticed lately.</summary>
    public CouncilJournal Journal { get; } = new(TimeProvider.System);

    /// <inheritdoc/>
    public bool LeadsHere => true;

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
    public TimeSpan ExpiryGrace { get; set; }

    /// <summary>Called on the council's thread after each decree. It must be short.</summary>
    public Action? News { get; set; }

    /// <summary>Asks; <paramref name="answer"/> is called on the council's thread and must be short. False: too many wait.</summary>
    public bool TryAsk(CouncilRequest request, Action<CouncilAnswer> answer)
    {
        lock (_door)
        {
            if (_closed || _asked.Count >= QueueMax) return false;
            _asked.Enqueue(new Asked(request, answer));
            Monitor.Pulse(_door);
            return true;
        }
    }

    /// <inheritdoc/>
    public async Task<CouncilAnswer> AskAsync(CouncilRequest request, CancellationToken cancellation)
    {
        var answered = new TaskCompletionSource<CouncilAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!TryAsk(request, answered.SetResult)) throw new CouncilUnreachableException("the council of this silo is overloaded or stopping");
        return await answered.Task.WaitAsync(cancellation);
    }

    /// <summary>Answers what waits, writes a checkpoint and ends the thread. Disposes the store.</summary>
    public void Dispose()
    {
        lock (_door)
        {
            _closed = true;
            Monitor.Pulse(_door);
        }
        _thread.Join();
        _store.Dispose();
    }

    private readonly record struct Asked(CouncilRequest Request, Action<CouncilAnswer> Answer);
}

/// <summary>What the council has done since its start.</summary>
public struct CouncilCounters
{
    /// <summary>Decrees written.</summary>
    public long Decrees;

    /// <summary>Commands in them.</summary>
    public long Commands;

    /// <summary>Requests that only read.</summary>
    public long Queries;

    /// <summary>Sessions whose lease ended.</summary>
    public long SessionsExpired;

    /// <summary>Nanoseconds spent in making decrees durable.</summary>
    public long SyncNs;

    /// <summary>Checkpoints written.</summary>
    public long Checkpoints;

    /// <summary>The last decree.</summary>
    public ulong Decree;

    /// <summary>Bytes of log since the last checkpoint.</summary>
    public long LogBytes;

    /// <summary>Open sessions.</summary>
    public long Sessions;
}
