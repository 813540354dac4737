using System.Collections.Concurrent;
using Rum.Core;
using Rum.Core.Council;
using Rum.Core.Council.Codec;
using Rum.FastPath.Client;
using Rum.FastPath.Linux;

namespace Rum.Pager.Session;

/// <summary>
/// This process's session with the council, on a thread of its own: it alone owns the control socket, renews the lease at a third of its length, fetches
/// views, and carries the commands of application threads one after the other. Told that the session ended, it says so once and refuses all
/// further commands.
/// </summary>
internal sealed partial class CouncilSession : ICouncil, IDisposable
{
    /// <summary>How long a command waits for a council that doesn't answer.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>How long a command is asked again that the council can't answer yet.</summary>
    private static readonly TimeSpan PendingPatience = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan PendingPause = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan CallTimeoutMax = TimeSpan.FromSeconds(1);

    private readonly ControlClient _client;
    private readonly ControlClient? _commands;
    private readonly string _addresses;
    private readonly ConcurrentQueue<Errand> _errands = new();
    private readonly AutoResetEvent _wake = new(false);
    private readonly byte[] _buffer = new byte[RequestCodec.BytesMax];
    private readonly Action<ClusterView> _viewChanged;
    private readonly Func<bool> _routesBroken;
    private readonly Action _expired;
    private Thread? _thread;
    private ClusterView _view;
    private ulong _viewDecree;
    private uint _counter;
    private int _leaseMs;
    private bool _incompatible;
    private volatile bool _ended;
    private volatile bool _stopping;
    private volatile bool _viewIsStale;

    private CouncilSession(ControlClient client, ControlClient? commands, string addresses, Action<ClusterView> viewChanged, Func<bool> routesBroken, Action expired)
    {
        (_client, _commands, _addresses, _viewChanged, _routesBroken, _expired) = (client, commands, addresses, viewChanged, routesBroken, expired);
        _view = new ClusterView(default, 0, 0, [], [], 0);
    }

    /// <summary>Whether the silos ended it.</summary>
    public bool IsEnded => _ended;

    /// <summary>What the silos said when they ended it.</summary>
    public string EndedBecause { get; private set; } = "the silos did not hear of this process for its lease; its anonymous memory is gone.";

    /// <inheritdoc/>
    public SessionId Session { get; private set; }

    /// <inheritdoc/>
    public ClusterView View => Volatile.Read(ref _view);

    /// <summary>
    /// Finds the council, fetches the view and opens a session. <paramref name="viewChanged"/> is called for the first view here and for later ones by the
    /// control thread, which also calls it again while <paramref name="routesBroken"/>; <paramref name="expired"/> once, by the control thread. Throws <see cref="RumException"/>.
    /// Commands go by <paramref name="commands"/> where there is one. Views and heartbeats never do: who carries commands may be managed code of this very
    /// process, which stands still while a fault holds up its garbage collection, and the fault may need a newer view.
    /// </summary>
    public static CouncilSession Open(
        ControlClient client, ControlClient? commands, string addresses, string clientName, TimeSpan lease, TimeSpan patience,
        Action<ClusterView> viewChanged, Func<bool> routesBroken, Action expired)
    {
        var session = new CouncilSession(client, commands, addresses, viewChanged, routesBroken, expired);
        session.FetchView(patience);
        Span<byte> nonce = stackalloc byte[16];
        System.Security.Cryptography.RandomNumberGenerator.Fill(nonce);
        var open = new OpenSession(System.Buffers.Binary.BinaryPrimitives.ReadUInt128LittleEndian(nonce), "", clientName, (int)lease.TotalMilliseconds);
        CouncilAnswer answer = session.Ask(new CommandRequest(default, open), patience);
        if (answer.Error != RumError.None) throw new RumException(answer.Error, answer.Message);
        if (answer is not CommandAnswer { Result: { } decided }) throw Unexpected(answer);
        if (decided.Error != RumError.None) throw new RumException(decided.Error, decided.Message);
        if (decided is not SessionResult result) throw Unexpected(decided);
        session.Session = result.Session;
        session._leaseMs = result.LeaseMs;
        return session;
    }

    /// <summary>Starts the control thread: heartbeats and errands from now on.</summary>
    public void Run()
    {
        _thread = new Thread(Loop) { IsBackground = true, Name = "rum-control" };
        _thread.Start();
    }

    /// <summary>Says that the view is out of date. Any thread, also the pager's: it neither blocks nor allocates.</summary>
    public void ViewIsStale()
    {
        if (_viewIsStale) return;
        _viewIsStale = true;
        _wake.Set();
    }

    /// <inheritdoc/>
    public Result Execute(Command command)
    {
        long end = MonotonicClock.NowNs + (long)PendingPatience.TotalNanoseconds;
        while (true)
        {
            Result result = Carry(command);
            if (result.Error != RumError.Pending) return result;
            if (MonotonicClock.NowNs >= end) return result with { Error = RumError.OutOfMemory };
            Thread.Sleep(PendingPause);
        }
    }

    /// <summary>Ends the session politely: its anonymous memory is freed at once. Best effort, at most a few round trips.</summary>
    public void Close()
    {
        Stop();
        // Idempotent by itself, so it carries no request id.
        if (!_ended) TryAsk(new CommandRequest(default, new CloseSession(Session)), CallTimeoutMax);
    }

    public void Dispose()
    {
        Stop();
        _client.Dispose();
        _commands?.Dispose();
        _wake.Dispose();
    }

    private Result Carry(Command command)
    {
        var errand = new Errand(command);
        _errands.Enqueue(errand);
        _wake.Set();
        if (_ended || _stopping) errand.Fail(Ended());
        return errand.Wait();
    }

    private void Stop()
    {
        _stopping = true;
        _wake.Set();
        _thread?.Join();
        _thread = null;
        while (_errands.TryDequeue(out Errand? errand)) errand.Fail(Ended());
    }

    private static RumException Unexpected(object said) =>
        new(RumError.Internal, $"the council answered {said.GetType().Name} where a session was due; please report it.");

    private RumException Ended() => _ended
        ? new RumException(RumError.SessionExpired, $"the session ended: {EndedBecause} Call rum_end, then rum_init.")
        : new RumException(RumError.NotInitialized, "rum_end was called.");
}
