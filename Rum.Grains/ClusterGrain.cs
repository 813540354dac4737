using Orleans.Concurrency;
using Rum.Core;
using Rum.Core.Council;

namespace Rum.Grains;

/// <summary>The cluster as this silo's council connection tells it.</summary>
[StatelessWorker]
[Reentrant]
internal sealed class ClusterGrain(GrainCouncil council, GrainCallCounters counters) : Grain, IClusterGrain
{
    /// <inheritdoc/>
    public async Task<ClusterMembers> MembersAsync()
    {
        CouncilAnswer answer = await council.AskAsync(new Describe());
        return new ClusterMembers(GrainCouncil.ReplyOf(answer), answer is not StatusAnswer { Status: { } status } ? [] :
        [
            .. status.Members.Select(m => new MemberLine(
                m.Member.Id.Value, m.Member.Name, m.Member.Endpoint, m.Member.Http, m.Member.Capacity, m.Charged, m.Member.State is MemberState.Up or MemberState.Draining)),
        ]);
    }

    /// <inheritdoc/>
    public async Task<ClusterCapacity> CapacityAsync()
    {
        CouncilAnswer answer = await council.AskAsync(new Describe());
        if (answer is not StatusAnswer { Status: { } status }) return new ClusterCapacity(GrainCouncil.ReplyOf(answer), 0, 0, 0, 0);
        IEnumerable<MemberStatus> up = status.Members.Where(m => m.Member.State == MemberState.Up);
        return new ClusterCapacity(GrainCouncil.ReplyOf(answer), up.Sum(m => m.Member.Capacity), up.Sum(m => m.Charged), status.Sessions, status.Segments);
    }

    /// <inheritdoc/>
    public async Task<RenewReply> RenewAsync(ulong[] sessions)
    {
        counters.Count(GrainCall.ClusterRenew);
        var counts = new List<ulong>(sessions.Length);
        GrainReply reply = default;
        foreach (ulong[] chunk in sessions.Chunk(LeaseMark.BatchMax))
        {
            CouncilAnswer answer = await council.AskAsync(new RenewLeases([.. chunk.Select(s => new SessionId(s))]));
            reply = GrainCouncil.ReplyOf(answer);
            if (answer is not LeasesAnswer leases) return new RenewReply(reply, []);
            counts.AddRange(leases.Counters);
        }
        return new RenewReply(reply, [.. counts]);
    }

    /// <inheritdoc/>
    public async Task<KeyReply> KeyOfAsync(ulong segment)
    {
        CouncilAnswer answer = await council.AskAsync(new ShowSegment(UInt128.Zero, new SegmentId(segment)));
        return new KeyReply(GrainCouncil.ReplyOf(answer), (answer as SegmentAnswer)?.Details?.Info.Key ?? UInt128.Zero);
    }

    /// <inheritdoc/>
    public async Task<GrainReply> DrainAsync(ushort silo)
    {
        return (await council.DecideAsync(default, new Drain(new SiloId(silo), true))).Reply;
    }
}
