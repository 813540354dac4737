using Rum.Core;
using Rum.Core.Council;
using Rum.FastPath.Client;
using Rum.FastPath.Linux;

namespace Rum.Pager.Session;

/// <summary>
/// This process's session with the council. A thread of its own renews the lease at a third of its length and fetches views, by a socket that it alone owns. Commands are carried by the application
/// threads that ask, each on a line of its own (<see cref="CommandLines"/>). Told that the session ended, whoever hears it says so once, and all further commands are refused.
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
    private readonly Func<ControlClient>? _gateway;
    private readonly CommandLines _lines;
    private readonly string _addresses;
    private readonly AutoResetEvent _wake = new(false);
    private readonly CancellationTokenSource _over = new();
    private readonly object _viewDoor = new();
    private readonly CommandLines.Line _line;   // over _client: the control thread's own
    private readonly Action<ClusterView> _viewChanged;
    private readonly Func<bool> _routesBroken;
    private readonly Action _expired;
    private Thread? _thread;
    private ClusterView _view;

    // Of the newest view that somebody was told of, and of the one that the pager has; the second is guarded by the view's door.
    private ulong _viewDecree, _routedDecree;
    private int _leaseMs;
    private bool _incompatible;
    private int _expiring;
    private volatile uint _generation;
    private volatile bool _ended;
    private volatile bool _stopping;
    private volatile bool _viewIsStale;

    private CouncilSession(
        Func<ControlClient> council, Func<ControlClient>? gateway, string addresses, Action<ClusterView> viewChanged, Func<bool> routesBroken, Action expired)
    {
        (_client, _gateway, _addresses, _viewChanged, _routesBroken, _expired) = (council(), gateway, addresses, viewChanged, routesBroken, expired);
        _line = new CommandLines.Line(_client);
        _lines = new CommandLines(gateway ?? council);
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
    /// control thread, which also calls it again while <paramref name="routesBroken"/>; <paramref name="expired"/> once, by any thread. Throws <see cref="RumException"/>.
    /// Clients of the council are opened by <paramref name="council"/>; commands go by those of <paramref name="gateway"/> where there is one. Views and heartbeats never do: who carries commands may be managed code of this very
    /// process, which stands still while a fault holds up its garbage collection, and the fault may need a newer view.
    /// </summary>
    public static CouncilSession Open(
        Func<ControlClient> council, Func<ControlClient>? gateway, string addresses, string clientName, TimeSpan lease, TimeSpan patience,
        Action<ClusterView> viewChanged, Func<bool> routesBroken, Action expired)
    {
        var session = new CouncilSession(council, gateway, addresses, viewChanged, routesBroken, expired);
        try
        {
            session.FetchView(patience);
            session.Begin(clientName, lease, patience);
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>Starts the control thread: heartbeats and new views from now on.</summary>
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

    /// <summary>Ends the session politely: its anonymous memory is freed at once. Best effort, at most a few round trips.</summary>
    public void Close()
    {
        Stop();
        // Idempotent by itself, so it carries no request id.
        if (!_ended) AskOnce(new CloseSession(Session), CallTimeoutMax);
    }

    public void Dispose()
    {
        Stop();
        _lines.Dispose();
        _client.Dispose();
        _wake.Dispose();
    }

    private void Begin(string clientName, TimeSpan lease, TimeSpan patience)
    {
        Span<byte> nonce = stackalloc byte[16];
        System.Security.Cryptography.RandomNumberGenerator.Fill(nonce);
        var open = new OpenSession(System.Buffers.Binary.BinaryPrimitives.ReadUInt128LittleEndian(nonce), "", clientName, (int)lease.TotalMilliseconds);
        CouncilAnswer answer = AskOnce(open, patience) ?? throw NoAnswer(_incompatible);
        if (answer.Error != RumError.None) throw new RumException(answer.Error, answer.Message);
        if (answer is not CommandAnswer { Result: { } decided }) throw Unexpected(answer);
        if (decided.Error != RumError.None) throw new RumException(decided.Error, decided.Message);
        if (decided is not SessionResult result) throw Unexpected(decided);
        Session = result.Session;
        _leaseMs = result.LeaseMs;
        if (_gateway is null) _lines.TurnTo(_client.Current);
    }

    private void Stop()
    {
        _stopping = true;
        GiveUp();
        _wake.Set();
        _thread?.Join();
        _thread = null;
    }

    // Whoever waits for an answer or a view waits no longer.
    private void GiveUp()
    {
        _lines.Close();
        _over.Cancel();
        lock (_viewDoor) Monitor.PulseAll(_viewDoor);
    }

    private static RumException Unexpected(object said) =>
        new(RumError.Internal, $"the council answered {said.GetType().Name} where a session was due; please report it.");

    private RumException Ended() => _ended
        ? new RumException(RumError.SessionExpired, $"the session ended: {EndedBecause} Call rum_end, then rum_init.")
        : new RumException(RumError.NotInitialized, "rum_end was called.");
}
