using System.Net;
using System.Security.Cryptography;
using System.Threading.Channels;
using Rum.Core;
using Rum.Core.Council;
using Rum.Core.Council.Codec;
using Rum.FastPath.Drivers.Udp;
using Rum.FastPath.Frames;
using Rum.FastPath.Server;
using Rum.Grains.Carrying;

namespace Rum;

/// <summary>
/// Takes the control frames of librum.so in this very process at a port of the loopback, and carries the commands in them out as grain calls. The page server
/// behind the port holds no pages and has no view.
/// </summary>
internal sealed class CommandGateway : IControlSink, IAsyncDisposable
{
    private const int OutstandingMax = 1024;

    private readonly Channel<ControlRequest> _requests = Channel.CreateBounded<ControlRequest>(new BoundedChannelOptions(OutstandingMax) { SingleReader = true });
    private readonly CancellationTokenSource _stop = new();
    private readonly ControlMemory _memory = new();
    private readonly GrainCalls _calls;
    private readonly PageServer _server;
    private readonly PageServerThread _thread;
    private readonly Task _pump;

    public CommandGateway(GrainCalls calls)
    {
        _calls = calls;
        UdpDriver driver = UdpDriver.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Address = driver.LocalEndPoint;
        var pool = new PagePool(new PagePoolOptions { CapacityBytes = 0, ReserveFrames = 1, SegmentsMax = 1, ExtentsMax = 1 });
        _server = new PageServer(new Incarnation(BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)) | 1), pool, [driver], this);
        _thread = new PageServerThread(_server, static _ => { });
        _pump = Task.Run(PumpAsync);
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint Address { get; }

    /// <inheritdoc/>
    public bool TryAccept(ControlRequest request) => _requests.Writer.TryWrite(request);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _requests.Writer.TryComplete();
        await _stop.CancelAsync().ConfigureAwait(false);
        await _pump.ConfigureAwait(false);
        _thread.Dispose();
        _stop.Dispose();
    }

    private async Task PumpAsync()
    {
        await foreach (ControlRequest request in _requests.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            if (!RequestCodec.TryDecode(request.Payload, out CouncilRequest? decoded) || decoded is not CommandRequest command)
            {
                Answer(request, new CouncilAnswer(RumError.InvalidArgument, "only commands are carried here; the silos answer everything else", 0, 0));
            }
            else if (_memory.TryBegin(request, out CouncilAnswer? known))
            {
                _ = CarryAsync(request, command);
            }
            else if (known is not null)
            {
                Answer(request, known);
            }
        }
    }

    private async Task CarryAsync(ControlRequest request, CommandRequest command)
    {
        CommandAnswer? answer = null;
        try
        {
            answer = await _calls.DecideAsync(command.Id, command.Command, _stop.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is GrainsUnreachableException or OperationCanceledException or ArgumentException)
        {
            // librum.so asks again, and says Unavailable to its program when that goes on for too long.
        }
        _memory.End(request, answer);
        if (answer is not null) Answer(request, answer);
    }

    private void Answer(ControlRequest request, CouncilAnswer answer)
    {
        byte[] buffer = new byte[FrameCodec.ControlMessageBytesMax];
        int length = AnswerCodec.Encode(buffer, answer);
        if (length >= 0 && !_stop.IsCancellationRequested) _server.Answer(request, answer.Error, buffer.AsSpan(0, length));
    }
}
