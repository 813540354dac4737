using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Rum.Core;
using Rum.Core.Council;
using Rum.Core.Council.Codec;
using Rum.Core.Paxos;
using Rum.Core.Sessions;
using Rum.FastPath.Frames;
using Rum.FastPath.Server;
using Rum.Silo.Council;

namespace Rum.Silo.Control;

/// <summary>
/// Takes the control requests that arrive at the page server's sockets to this silo's seat of the council, and the answers back. Where this silo has no
/// seat it answers NotLeader with the leader's address, as far as known, as the message. What other seats say goes straight to the seat. With a carrier it
/// takes the requests of programs wherever they arrive: commands and heartbeats through the carrier, questions to whoever leads where it has no seat. A request that can't be
/// taken is dropped: its sender asks again.
/// </summary>
public sealed partial class ControlPlane : IControlSink, IDisposable
{
    // Room for the longest answer, once a thread: fresh memory for each heartbeat's was most of what an idle silo did.
    [ThreadStatic]
    private static byte[]? _answer;

    // Questions that this silo passes on for programs at a time.
    private const int ForwardedMax = 64;

    // Goes through the queue like a request, to see that what is in it is taken out.
    private static readonly ControlRequest Probe = new(default, 0, 0, 0, []);

    private readonly ConcurrentQueue<ControlRequest> _queue = new();

    // Never disposed: the page server's thread, which ends later, may set it still.
    private readonly AutoResetEvent _arrived = new(false);
    private readonly Func<string> _leaderAddress;
    private readonly IRequestCarrier? _carrier;
    private readonly ILogger _log;
    private readonly ControlMemory _memory = new();
    private readonly SemaphoreSlim _forwarded = new(ForwardedMax, ForwardedMax);
    private readonly CancellationTokenSource _stop = new();
    private PageServer? _server;
    private volatile CouncilLeader? _seat;
    private ICouncil? _council;
    private Thread? _pump;
    private int _waiting;
    private volatile bool _stopping;
    private long _malformed;

    /// <summary>A control plane that takes requests but answers none before <see cref="Start"/>. Without a carrier commands go straight to the council.</summary>
    public ControlPlane(Func<string> leaderAddress, IRequestCarrier? carrier, ILogger log)
    {
        _leaderAddress = leaderAddress;
        _carrier = carrier;
        _log = log;
    }

    /// <summary>What frames of the view in force here carry, 0 before the first.</summary>
    public Func<uint>? Generation { get; init; }

    /// <summary>Requests that were none.</summary>
    public long Malformed => Interlocked.Read(ref _malformed);

    /// <inheritdoc/>
    public bool TryAccept(ControlRequest request)
    {
        if (request.Payload.Length == 0 || request.Payload[0] != PaxosCodec.Mark) return TryPost(request);
        _seat?.Deliver(request.Payload);
        return true;
    }

    /// <inheritdoc/>
    public void TakeSign(in SiloSign sign) => _seat?.TakeSign(sign);

    /// <summary>Lets the next sign of life say that the control plane runs, once what waits before has been taken.</summary>
    public void CountProgress() => TryPost(Probe);

    /// <summary>This silo has a seat from now on.</summary>
    public void Seat(CouncilLeader seat) => _seat = seat;

    /// <summary>Begins to answer; what programs ask a silo with a carrier and without a seat goes to <paramref name="council"/>.</summary>
    public void Start(PageServer server, ICouncil council)
    {
        _server = server;
        _council = council;
        // A thread of its own: for one request the pool would wake two workers, and its gate keeper twice more half a second apart.
        _pump = new Thread(Pump) { IsBackground = true, Name = "rum-control" };
        _pump.Start();
    }

    /// <summary>Stops taking requests and waits for the pump.</summary>
    public void Dispose()
    {
        _stopping = true;
        _arrived.Set();
        _stop.Cancel();
        _pump?.Join();
    }

    private bool TryPost(ControlRequest request)
    {
        if (_stopping || Interlocked.Increment(ref _waiting) > CouncilLeader.QueueMax)
        {
            Interlocked.Decrement(ref _waiting);
            return false;
        }
        _queue.Enqueue(request);
        _arrived.Set();
        return true;
    }

    private void Pump()
    {
        while (true)
        {
            while (_queue.TryDequeue(out ControlRequest? request))
            {
                Interlocked.Decrement(ref _waiting);
                if (ReferenceEquals(request, Probe)) _server!.CountProgress();
                else Handle(request);
            }
            if (_stopping) return;
            _arrived.WaitOne();
        }
    }

    private void Handle(ControlRequest request)
    {
        if (!RequestCodec.TryDecode(request.Payload, out CouncilRequest? decoded))
        {
            Interlocked.Increment(ref _malformed);
            Answer(request, new CouncilAnswer(RumError.InvalidArgument, "the control request can't be read; do both ends have the same version?", 0, 0));
        }
        else if (request.Generation != 0 && _seat is not { LeadsHere: true } && request.Generation != (Generation?.Invoke() ?? 0))
        {
            // Of another cluster, or ahead of this silo: the leader knows which.
            Answer(request, new CouncilAnswer(RumError.NotLeader, _leaderAddress(), 0, 0));
        }
        else if (_seat is { LeadsHere: true } leader && request.Generation != 0 && request.Generation != leader.FrameGeneration)
        {
            leader.TryAsk(decoded, answer => Answer(request, answer), request.Generation);
        }
        else if (_carrier is not null && decoded is CommandRequest { Carried: false, Command: not (Join or Leave or Dropped or OfferSeat or LimitCouncil or SnapshotCommand) } or Heartbeat)
        {
            Carry(request, decoded);
        }
        else if (_carrier is not null && _seat is null && decoded is GetView or Describe or ListSegments or ShowSegment or ListSessions or ListSnapshots)
        {
            if (_forwarded.Wait(0)) _ = ForwardAsync(request, decoded);
        }
        else if (_seat is not { } seat)
        {
            Answer(request, new CouncilAnswer(RumError.NotLeader, _leaderAddress(), 0, 0));
        }
        else if (decoded is CommandRequest { Command: Expire })
        {
            Answer(request, new CouncilAnswer(RumError.InvalidArgument, "only the council itself ends a session for its lease", 0, 0));
        }
        else
        {
            seat.TryAsk(decoded, answer => Answer(request, answer), request.Generation);
        }
    }

    // A request is carried once, however often it is sent: its answer is remembered for a while.
    private void Carry(ControlRequest request, CouncilRequest decoded)
    {
        if (!_memory.TryBegin(request, out CouncilAnswer? known))
        {
            if (known is not null) Answer(request, known);
            return;
        }
        _carrier!.Carry(decoded, answer =>
        {
            _memory.End(request, answer);
            if (answer is not null) Answer(request, answer);
        });
    }

    private async Task ForwardAsync(ControlRequest request, CouncilRequest decoded)
    {
        try
        {
            Answer(request, await _council!.AskAsync(decoded, _stop.Token));
        }
        catch (Exception e) when (e is CouncilUnreachableException or OperationCanceledException or ObjectDisposedException)
        {
            // Its sender asks again.
        }
        finally
        {
            _forwarded.Release();
        }
    }

    private void Answer(ControlRequest request, CouncilAnswer answer)
    {
        byte[] buffer = _answer ??= new byte[FrameCodec.ControlMessageBytesMax];
        int length = AnswerCodec.Encode(buffer, answer);
        if (length < 0)
        {
            LogTooLong(answer.GetType().Name);
            length = AnswerCodec.Encode(buffer, new CouncilAnswer(RumError.Internal, "the answer is too long for a control message", answer.Decree, answer.ViewDecree));
        }
        _server!.Answer(request, answer.Error, buffer.AsSpan(0, length));
    }

    [LoggerMessage(200, LogLevel.Error, "a {Answer} is too long for a control message")]
    private partial void LogTooLong(string answer);
}
