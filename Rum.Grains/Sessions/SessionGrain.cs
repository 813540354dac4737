using Rum.Core;
using Rum.Core.Council;
using Rum.Core.Ring;
using Rum.Grains.Placement;
using Rum.Grains.Segments;

namespace Rum.Grains.Sessions;

/// <summary>
/// A session, or a door where one is opened. The grain timer asks more often than once a lease, and every 8 s, whether the lease is over; only a renewal counter that didn't move,
/// and the council's own clock, end it.
/// </summary>
[RingPlacement]
[Orleans.Concurrency.Reentrant]
internal sealed class SessionGrain(
    GrainCouncil council, LeaseJudge judge, LocalGrains local, GrainCallCounters counters, IGrainFactory grains) : Grain, ISessionGrain, IRingGrain
{
    // So that the grain comes before the council's own clock, which waits for another lease, also where leases are long. Not more often: with many sessions these
    // questions are most of what an idle silo does.
    private const int JudgeMsMax = 8000;

    private ulong _session;
    private ulong _seen;
    private IGrainTimer? _timer;

    /// <inheritdoc/>
    public ShardId? Shard => null;

    /// <inheritdoc/>
    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        if (GrainKeys.TryParseSession(this.GetPrimaryKeyString(), out _session)) local.Add(GrainContext, this);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        local.Remove(GrainContext);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task<SessionReply> OpenAsync(OpenSessionCall call)
    {
        counters.Count(GrainCall.SessionOpen);
        if (_session != 0) return new SessionReply(new GrainReply((ushort)RumError.InvalidArgument, "a session is opened at a door", 0, 0), 0, 0);
        (GrainReply reply, Result? result) = await council.DecideAsync(default, new OpenSession(call.Nonce, call.Tenant, call.ClientName, call.LeaseMs));
        DeactivateOnIdle();
        if (result is not SessionResult { Error: RumError.None } opened) return new SessionReply(reply, 0, 0);
        // Who can't be told now is told by the keeper of its silo; the session is open all the same.
        grains.GetGrain<ISessionGrain>(GrainKeys.OfSession(opened.Session.Value)).WatchAsync(opened.LeaseMs).Ignore();
        return new SessionReply(reply, opened.Session.Value, opened.LeaseMs);
    }

    /// <inheritdoc/>
    public Task WatchAsync(int leaseMs)
    {
        if (_session == 0 || _timer is not null) return Task.CompletedTask;
        TimeSpan interval = TimeSpan.FromMilliseconds(Math.Clamp(leaseMs * 4L / 5, CouncilMachine.LeaseMsMin / 2, JudgeMsMax));
        _timer = this.RegisterGrainTimer(JudgeAsync, new GrainTimerCreationOptions(interval, interval) { KeepAlive = true, Interleave = true });
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task<GrainReply> HeartbeatAsync()
    {
        CouncilAnswer answer = await council.AskAsync(new RenewLeases([new SessionId(_session)]));
        GrainReply reply = GrainCouncil.ReplyOf(answer);
        return answer is LeasesAnswer { Counters: [0] } ? reply with { Error = (ushort)RumError.SessionExpired, Message = $"session {_session} has ended" } : reply;
    }

    /// <inheritdoc/>
    public async Task<SegmentReply> AllocateAsync(CreateSegment call)
    {
        counters.Count(GrainCall.SessionAllocate);
        (GrainReply reply, Result? result) = await council.DecideAsync(
            call.Mark, new Allocate(new SessionId(_session), UInt128.Zero, call.Size, call.Copies, (SegmentFlags)call.Flags, SegmentReplies.SilosOf(call)));
        if (result is SegmentResult { Error: RumError.None } made)
            grains.GetGrain<ISegmentGrain>(GrainKeys.OfSegment(default, made.Segment)).DescribeAsync().Ignore();
        return SegmentReplies.Of(reply, result);
    }

    /// <inheritdoc/>
    public async Task<OwnedSegments> SegmentsAsync()
    {
        var owned = new List<ulong>();
        for (var after = default(SegmentId); ;)
        {
            CouncilAnswer answer = await council.AskAsync(new ListSegments(after, CouncilMachine.ListMax));
            if (answer is not SegmentsAnswer page) return new OwnedSegments(GrainCouncil.ReplyOf(answer), []);
            owned.AddRange(page.Segments.Where(s => s.Owner.Value == _session || s.Writer.Value == _session).Select(s => s.Id.Value));
            if (!page.More || page.Segments.Count == 0) return new OwnedSegments(GrainCouncil.ReplyOf(answer), [.. owned]);
            after = page.Segments[^1].Id;
        }
    }

    /// <inheritdoc/>
    public async Task<GrainReply> CloseAsync()
    {
        counters.Count(GrainCall.SessionClose);
        (GrainReply reply, _) = await council.DecideAsync(default, new CloseSession(new SessionId(_session)));
        if (reply.Error == (ushort)RumError.None) Leave();
        return reply;
    }

    private async Task JudgeAsync(CancellationToken cancellation)
    {
        if (await judge.JudgeAsync(new LeaseMark(new SessionId(_session), _seen)) is not { } counter) return;
        if (counter == 0)
        {
            counters.Count(GrainCall.SessionExpire);
            Leave();
        }
        _seen = counter;
    }

    private void Leave()
    {
        _timer?.Dispose();
        _timer = null;
        DeactivateOnIdle();
    }
}
