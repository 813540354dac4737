using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Rum.Core;
using Rum.Core.Council;
using Rum.Grains.Carrying;
using Rum.Silo.Control;
using Rum.Silo.Council;

namespace Rum.Grains.Hosting;

/// <summary>
/// From a silo's sockets to the grains: each command is a grain call, the heartbeats of an interval are one call together. While no Orleans host runs here, commands
/// wait for their senders to ask again, and heartbeats go straight to the council, so that nobody's session ends for it. Any thread.
/// </summary>
public sealed partial class GrainGateway : IRequestCarrier, IAsyncDisposable
{
    private const int OutstandingMax = 4096;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Channel<(Heartbeat Beat, Action<CouncilAnswer?> Answer)> _beats =
        Channel.CreateBounded<(Heartbeat, Action<CouncilAnswer?>)>(new BoundedChannelOptions(65_536) { SingleReader = true });

    private readonly CancellationTokenSource _stop = new();
    private readonly ILogger _log;
    private readonly Task _pump;
    private GrainCalls? _calls;
    private ICouncil? _council;
    private int _outstanding;

    /// <summary>Carries nothing before <see cref="Open"/>.</summary>
    public GrainGateway(ILogger log)
    {
        _log = log;
        _pump = Task.Run(PumpAsync);
    }

    /// <inheritdoc/>
    public string Trouble => Volatile.Read(ref _calls) is null ? "Orleans has not joined its cluster yet" : "";

    /// <summary>Names the council that heartbeats go to while there is no Orleans host.</summary>
    public void Attach(ICouncil council) => Volatile.Write(ref _council, council);

    /// <summary>Carries by these grains from now on.</summary>
    public void Open(IGrainFactory grains) => Volatile.Write(ref _calls, new GrainCalls(grains, Patience));

    /// <summary>Carries nothing any more.</summary>
    public void Close() => Volatile.Write(ref _calls, null);

    /// <inheritdoc/>
    public void Carry(CouncilRequest request, Action<CouncilAnswer?> answer)
    {
        if (request is Heartbeat beat)
        {
            if (!_beats.Writer.TryWrite((beat, answer))) answer(null);
            return;
        }
        if (request is not CommandRequest command || Volatile.Read(ref _calls) is not { } calls)
        {
            answer(null);
        }
        else if (Interlocked.Increment(ref _outstanding) > OutstandingMax)
        {
            Interlocked.Decrement(ref _outstanding);
            answer(null);
        }
        else
        {
            _ = CarryAsync(calls, command, answer);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Close();
        _beats.Writer.TryComplete();
        await _stop.CancelAsync();
        await _pump;
        _stop.Dispose();
    }

    private async Task CarryAsync(GrainCalls calls, CommandRequest request, Action<CouncilAnswer?> answer)
    {
        CouncilAnswer? decided = null;
        try
        {
            decided = await calls.DecideAsync(request.Id, request.Command, _stop.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is GrainsUnreachableException or OperationCanceledException)
        {
            LogNotCarried(request.Command.GetType().Name, e.Message);
        }
        finally
        {
            Interlocked.Decrement(ref _outstanding);
            answer(decided);
        }
    }

    private async Task PumpAsync()
    {
        var batch = new Dictionary<ulong, List<Action<CouncilAnswer?>>>();
        try
        {
            while (await _beats.Reader.WaitToReadAsync(_stop.Token).ConfigureAwait(false))
            {
                await Task.Delay(Interval, _stop.Token).ConfigureAwait(false);
                batch.Clear();
                while (_beats.Reader.TryRead(out var one))
                {
                    if (!batch.TryGetValue(one.Beat.Session.Value, out List<Action<CouncilAnswer?>>? answers)) batch.Add(one.Beat.Session.Value, answers = []);
                    answers.Add(one.Answer);
                }
                await RenewAsync(batch).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The silo stops; the senders ask elsewhere.
        }
    }

    private async Task RenewAsync(Dictionary<ulong, List<Action<CouncilAnswer?>>> batch)
    {
        ulong[] sessions = [.. batch.Keys];
        RenewReply? reply = await TryRenewAsync(sessions).ConfigureAwait(false);
        for (int i = 0; i < sessions.Length; i++)
        {
            CouncilAnswer? answer = i < reply?.Counters.Length
                ? new CouncilAnswer(
                    reply.Counters[i] == 0 ? RumError.SessionExpired : RumError.None,
                    reply.Counters[i] == 0 ? $"session {sessions[i]} has ended: its lease ran out or it was closed. Its anonymous memory was freed; open a new session." : "",
                    reply.Reply.Decree,
                    reply.Reply.ViewDecree)
                : null;
            foreach (Action<CouncilAnswer?> sender in batch[sessions[i]]) sender(answer);
        }
    }

    private async Task<RenewReply?> TryRenewAsync(ulong[] sessions)
    {
        try
        {
            if (Volatile.Read(ref _calls) is { } calls) return await calls.RenewAsync(sessions, _stop.Token).ConfigureAwait(false);
            if (Volatile.Read(ref _council) is not { } council) return null;
            var counters = new List<ulong>(sessions.Length);
            GrainReply reply = default;
            foreach (ulong[] chunk in sessions.Chunk(LeaseMark.BatchMax))
            {
                CouncilAnswer answer = await council.AskAsync(new RenewLeases([.. chunk.Select(s => new SessionId(s))]), _stop.Token).ConfigureAwait(false);
                if (answer is not LeasesAnswer leases) return null;
                reply = GrainCouncil.ReplyOf(answer);
                counters.AddRange(leases.Counters);
            }
            return new RenewReply(reply, [.. counters]);
        }
        catch (Exception e) when (e is GrainsUnreachableException or CouncilUnreachableException)
        {
            LogNotCarried(nameof(Heartbeat), e.Message);
            return null;
        }
    }

    [LoggerMessage(320, LogLevel.Warning, "a {Request} could not be carried: {Reason}; its sender asks again")]
    private partial void LogNotCarried(string request, string reason);
}
