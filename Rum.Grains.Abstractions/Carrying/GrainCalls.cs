using System.Collections.Concurrent;
using Rum.Core;
using Rum.Core.Council;

namespace Rum.Grains.Carrying;

/// <summary>
/// Carries a program's commands out as grain calls: one command is one call of the grain that it concerns. Calls that Orleans rejects, because a silo has
/// just died or moved, are made again until the patience ends: a command has the same id each time and is decided once. Any thread.
/// </summary>
public sealed class GrainCalls
{
    // Keys of named segments by their numbers, which are never reused. Forgetting them all costs a question each.
    private const int KeysMax = 65_536;

    private readonly ConcurrentDictionary<ulong, SegmentKey> _keys = new();
    private readonly IGrainFactory _grains;
    private readonly TimeSpan _patience;

    /// <summary>Calls by <paramref name="grains"/>, each for at most <paramref name="patience"/>.</summary>
    public GrainCalls(IGrainFactory grains, TimeSpan patience) => (_grains, _patience) = (grains, patience);

    /// <summary>Has a command decided. Throws <see cref="GrainsUnreachableException"/> when no grain answered in time.</summary>
    public async Task<CommandAnswer> DecideAsync(RequestId id, Command command, CancellationToken cancellation)
    {
        var mark = new RequestMark(id.Session.Value, id.Slot, id.Counter);
        switch (command)
        {
            case OpenSession open:
                var call = new OpenSessionCall(open.Nonce, open.Tenant, open.ClientName, open.LeaseMs);
                return Answer(await RetryAsync(() => _grains.GetGrain<ISessionGrain>(GrainKeys.OfDoor(open.Nonce)).OpenAsync(call), static reply => reply.Reply, cancellation));
            case CloseSession close:
                return Answer(await RetryAsync(() => Session(close.Session).CloseAsync(), static reply => reply, cancellation));
            case Allocate allocate:
                CreateSegment create = CallOf(mark, allocate);
                return Learn(allocate.Key == UInt128.Zero
                    ? await RetryAsync(() => Session(allocate.Session).AllocateAsync(create), static reply => reply.Reply, cancellation)
                    : await SegmentAsync(new SegmentKey(allocate.Key), default, grain => grain.CreateAsync(create), cancellation));
            case Open open:
                return Learn(await SegmentAsync(new SegmentKey(open.Key), default, grain => grain.OpenAsync(new OpenSegment(mark, (byte)open.Mode)), cancellation));
            case Close close:
                return Answer(await ByIdAsync(close.Segment, grain => grain.CloseAsync(new SegmentCall(mark, close.Segment.Value)), cancellation), opened: false);
            case Resize resize:
                return Answer(await ByIdAsync(resize.Segment, grain => grain.ResizeAsync(new ResizeSegment(mark, resize.Segment.Value, resize.Size)), cancellation), opened: true);
            case ChargeExtents charge:
                var charging = new ChargeSegment(mark, charge.Segment.Value, charge.FirstExtent, charge.Count, charge.Charged);
                return Answer(await ByIdAsync(charge.Segment, grain => grain.ChargeAsync(charging), cancellation), opened: false);
            case Free free:
                var freeing = new SegmentCall(mark, free.Segment.Value);
                return Answer(free.Segment.Value != 0
                    ? await ByIdAsync(free.Segment, grain => grain.FreeAsync(freeing), cancellation)
                    : await SegmentAsync(new SegmentKey(free.Key), default, grain => grain.FreeAsync(freeing), cancellation), opened: false);
            default:
                throw new ArgumentException($"{command.GetType().Name} is no command of a program.", nameof(command));
        }
    }

    /// <summary>Renews the leases of sessions; the counters stand in their order.</summary>
    public Task<RenewReply> RenewAsync(ulong[] sessions, CancellationToken cancellation) =>
        RetryAsync(() => _grains.GetGrain<IClusterGrain>(0).RenewAsync(sessions), static reply => reply.Reply, cancellation);

    /// <summary>Makes a call until it is answered by something else than Unavailable, backing off from 25 ms to 1 s.</summary>
    public async Task<T> RetryAsync<T>(Func<Task<T>> call, Func<T, GrainReply> replyOf, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(_patience);
        string trouble = "";
        for (int pauseMs = 25; ; pauseMs = Math.Min(pauseMs * 2, 1000))
        {
            try
            {
                T reply = await call().WaitAsync(patience.Token).ConfigureAwait(false);
                if (replyOf(reply).Error != (ushort)RumError.Unavailable) return reply;
                trouble = replyOf(reply).Message;
            }
            catch (Exception e) when (e is OrleansException or TimeoutException or ObjectDisposedException or InvalidOperationException)
            {
                trouble = e.Message;
            }
            catch (OperationCanceledException) when (patience.IsCancellationRequested)
            {
                throw Unreachable(trouble, cancellation);
            }
            try
            {
                // Not all at the same moment.
                await Task.Delay(pauseMs + Random.Shared.Next(pauseMs), patience.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                throw Unreachable(trouble, cancellation);
            }
        }
    }

    private GrainsUnreachableException Unreachable(string trouble, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        return new GrainsUnreachableException($"no grain answered within {_patience.TotalSeconds:0.#} s{(trouble.Length == 0 ? "" : ": " + trouble)}");
    }

    private static CreateSegment CallOf(RequestMark mark, Allocate allocate)
    {
        ushort[]? others = allocate.Silos.Count > 1 ? new ushort[allocate.Silos.Count - 1] : null;
        for (int i = 1; i < allocate.Silos.Count; i++) others![i - 1] = allocate.Silos[i].Value;
        return new CreateSegment(mark, allocate.Size, allocate.Copies, (ushort)allocate.Flags, allocate.Silos.First.Value, others);
    }

    private ISessionGrain Session(SessionId session) => _grains.GetGrain<ISessionGrain>(GrainKeys.OfSession(session.Value));

    private Task<SegmentReply> SegmentAsync(SegmentKey key, SegmentId segment, Func<ISegmentGrain, Task<SegmentReply>> call, CancellationToken cancellation)
    {
        ISegmentGrain grain = _grains.GetGrain<ISegmentGrain>(GrainKeys.OfSegment(key, segment));
        return RetryAsync(() => call(grain), static reply => reply.Reply, cancellation);
    }

    // Programs name an open segment by its number, its grain has its key.
    private async Task<SegmentReply> ByIdAsync(SegmentId segment, Func<ISegmentGrain, Task<SegmentReply>> call, CancellationToken cancellation)
    {
        if (!_keys.TryGetValue(segment.Value, out SegmentKey key))
        {
            KeyReply reply = await RetryAsync(() => _grains.GetGrain<IClusterGrain>(0).KeyOfAsync(segment.Value), static reply => reply.Reply, cancellation).ConfigureAwait(false);
            key = new SegmentKey(reply.Key);
            if (reply.Reply.Error == (ushort)RumError.None) Remember(segment.Value, key);
        }
        return await SegmentAsync(key, segment, call, cancellation).ConfigureAwait(false);
    }

    private CommandAnswer Learn(SegmentReply reply)
    {
        if (reply.Reply.Error == (ushort)RumError.None) Remember(reply.Segment, new SegmentKey(reply.Key));
        return Answer(reply, opened: true);
    }

    private void Remember(ulong segment, SegmentKey key)
    {
        if (_keys.Count >= KeysMax) _keys.Clear();
        _keys[segment] = key;
    }

    // As the council answers: what opens gives the segment, everything else only how it went.
    private static CommandAnswer Answer(SegmentReply reply, bool opened) => Answer(
        reply.Reply,
        opened && reply.Segment != 0
            ? new SegmentResult(
                (RumError)reply.Reply.Error, reply.Reply.Message, reply.Reply.Decree, new SegmentId(reply.Segment), reply.Key, reply.Size, reply.Token,
                new ShardId(reply.FirstShard), (SegmentFlags)reply.Flags)
            : Plain(reply.Reply));

    private static CommandAnswer Answer(SessionReply reply) => Answer(
        reply.Reply,
        new SessionResult((RumError)reply.Reply.Error, reply.Reply.Message, reply.Reply.Decree, new SessionId(reply.Session), reply.LeaseMs));

    private static CommandAnswer Answer(GrainReply reply) => Answer(reply, Plain(reply));

    private static CommandAnswer Answer(GrainReply reply, Result result) => new(RumError.None, "", reply.Decree, reply.ViewDecree, result);

    private static Result Plain(GrainReply reply) => new((RumError)reply.Error, reply.Message, reply.Decree);
}
