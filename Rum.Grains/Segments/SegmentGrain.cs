using Rum.Core;
using Rum.Core.Council;
using Rum.Grains.Placement;

namespace Rum.Grains.Segments;

/// <summary>
/// A thin shell over the council: it only knows where it belongs. Reentrant, because the council puts calls into an order. Stays active while its segment
/// exists, so that the activations of a silo are the segments that it holds first.
/// </summary>
[RingPlacement]
[KeepAlive]
[Orleans.Concurrency.Reentrant]
internal sealed class SegmentGrain(GrainCouncil council, GrainRing ring, LocalGrains local, GrainCallCounters counters) : Grain, ISegmentGrain, IRingGrain
{
    // A key that is made and freed again and again keeps its activation.
    private static readonly TimeSpan Linger = TimeSpan.FromSeconds(2);

    private SegmentKey _key;
    private SegmentId _segment;
    private IGrainTimer? _leaving;

    /// <inheritdoc/>
    public ShardId? Shard { get; private set; }

    /// <inheritdoc/>
    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        string grain = this.GetPrimaryKeyString();
        if (!GrainKeys.TryParseSegment(grain, out _key, out _segment)) throw new ArgumentException($"'{grain}' names no segment: 32 hex digits, or # and a number.");
        local.Add(GrainContext, this);
        // Calls that only ask, about a segment that isn't there, must not leave an activation behind.
        LeaveSoon();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        local.Remove(GrainContext);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task<SegmentReply> CreateAsync(CreateSegment call) => _key.IsAnonymous
        ? Task.FromResult(Refused("anonymous memory is allocated by its session"))
        : DecideAsync(GrainCall.SegmentCreate, call.Mark, new Allocate(
            new SessionId(call.Mark.Session), _key.Value, call.Size, call.Copies, (SegmentFlags)call.Flags, SegmentReplies.SilosOf(call)));

    /// <inheritdoc/>
    public Task<SegmentReply> OpenAsync(OpenSegment call) => _key.IsAnonymous || call.Mode > (byte)OpenMode.WriteElseRead
        ? Task.FromResult(Refused(_key.IsAnonymous ? "anonymous memory has no key to open it by" : $"open mode {call.Mode} is unknown"))
        : DecideAsync(GrainCall.SegmentOpen, call.Mark, new Open(new SessionId(call.Mark.Session), _key.Value, (OpenMode)call.Mode));

    /// <inheritdoc/>
    public Task<SegmentReply> CloseAsync(SegmentCall call) =>
        DecideAsync(GrainCall.SegmentClose, call.Mark, new Close(new SessionId(call.Mark.Session), new SegmentId(call.Segment)));

    /// <inheritdoc/>
    public Task<SegmentReply> ResizeAsync(ResizeSegment call) =>
        DecideAsync(GrainCall.SegmentResize, call.Mark, new Resize(new SessionId(call.Mark.Session), new SegmentId(call.Segment), call.Size));

    /// <inheritdoc/>
    public Task<SegmentReply> ChargeAsync(ChargeSegment call) => DecideAsync(GrainCall.SegmentCharge, call.Mark, new ChargeExtents(
        new SessionId(call.Mark.Session), new SegmentId(call.Segment), call.FirstExtent, call.Count, call.Charged));

    /// <inheritdoc/>
    public async Task<SegmentReply> FreeAsync(SegmentCall call)
    {
        // By key where the caller named the segment so: then it is the one that has the key now.
        var free = new Free(new SessionId(call.Mark.Session), new SegmentId(call.Segment), call.Segment == 0 ? _key.Value : UInt128.Zero);
        SegmentReply reply = await DecideAsync(GrainCall.SegmentFree, call.Mark, free);
        if (reply.Reply.Error == (ushort)RumError.None) LeaveSoon();
        return reply;
    }

    /// <inheritdoc/>
    public async Task<SegmentDescription> DescribeAsync()
    {
        (GrainReply reply, SegmentDetails? details) = await ShowAsync();
        if (details is not { Info: { } info }) return new SegmentDescription(reply, 0, 0, 0, 0, 0, 0, 0, 0, 0);
        return new SegmentDescription(
            reply, info.Id.Value, info.Size, (ushort)info.Flags, info.Owner.Value, info.Writer.Value, info.Readers, details.Token, ring.HomeOf(details.FirstShard).Value, ring.Self.Value);
    }

    /// <inheritdoc/>
    public async Task<SegmentStatistics> StatisticsAsync()
    {
        (GrainReply reply, SegmentDetails? details) = await ShowAsync();
        IReadOnlyList<SegmentPlace> places = details?.Places ?? [];
        return new SegmentStatistics(reply, details?.Info.Charged ?? 0, [.. places.Select(p => p.Silo.Value)], [.. places.Select(p => p.Extents)], [.. places.Select(p => p.Bytes)]);
    }

    private async Task<(GrainReply Reply, SegmentDetails? Details)> ShowAsync()
    {
        CouncilAnswer answer = await council.AskAsync(new ShowSegment(_key.Value, _segment));
        SegmentDetails? details = (answer as SegmentAnswer)?.Details;
        if (details is not null) Stay(details.FirstShard);
        else if (answer.Error == RumError.NotFound) LeaveSoon();
        return (GrainCouncil.ReplyOf(answer), details);
    }

    private async Task<SegmentReply> DecideAsync(GrainCall call, RequestMark mark, Command command)
    {
        counters.Count(call);
        (GrainReply reply, Result? result) = await council.DecideAsync(mark, command);
        if (result is SegmentResult { Error: RumError.None } opened) Stay(opened.FirstShard);
        return SegmentReplies.Of(reply, result);
    }

    // The segment exists, and this is where it begins: the ring may not have been able to tell before.
    private void Stay(ShardId first)
    {
        _leaving?.Dispose();
        _leaving = null;
        if (Shard == first) return;
        Shard = first;
        if (ring.Elsewhere(first) is { } home) GrainContext.Migrate(GrainRing.Hint(home));
    }

    private void LeaveSoon()
    {
        _leaving?.Dispose();
        _leaving = this.RegisterGrainTimer(Leave, new GrainTimerCreationOptions(Linger, Timeout.InfiniteTimeSpan));
    }

    private async Task Leave(CancellationToken cancellation)
    {
        CouncilAnswer answer = await council.AskAsync(new ShowSegment(_key.Value, _segment));
        if (answer is SegmentAnswer { Details: { } details }) Stay(details.FirstShard);
        else if (answer.Error == RumError.NotFound) DeactivateOnIdle();
        else LeaveSoon();
    }

    private static SegmentReply Refused(string why) =>
        new(new GrainReply((ushort)RumError.InvalidArgument, why, 0, 0), 0, UInt128.Zero, 0, 0, 0, 0);
}
