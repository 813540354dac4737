using Microsoft.Extensions.Logging.Abstractions;
using Rum.Core;
using Rum.Core.Council;
using Rum.Core.Sessions;
using Rum.Silo.Council;
using Rum.Silo.Storage;

namespace Rum.Cluster.Tests.Council;

public sealed class SilenceOfOwnSiloTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private long _nowNs = 1;

    [Fact]
    public async Task TheSiloBesideTheLeaderNeedsNoHeartbeat()
    {
        CancellationToken cancelled = TestContext.Current.CancellationToken;
        using var leader = new CouncilLeader(
            new MemoryCouncilStore(), 10_000, () => Volatile.Read(ref _nowNs), NullLogger.Instance, defect => Assert.Fail(defect.ToString()));
        SiloId own = await JoinAsync(leader, "own", 1);
        SiloId other = await JoinAsync(leader, "other", 2);
        leader.OwnSilo = own;
        // The page thread's signs are the observer's clock.
        long end = 2 * new SilenceOptions().JoiningNs;
        for (long now = 1; now < end; now += ObservedClock.LookNs)
        {
            Volatile.Write(ref _nowNs, now);
            leader.TakeSign(new SiloSign(own, new Incarnation(1), 1));
        }
        // A status is read before silence is looked at anew.
        await leader.AskAsync(new Describe(), cancelled);
        var answer = Assert.IsType<StatusAnswer>(await leader.AskAsync(new Describe(), cancelled));
        Assert.Equal(0, Assert.Single(answer.Status.Members, m => m.Member.Id == own).SilentMs);
        Assert.InRange(Assert.Single(answer.Status.Members, m => m.Member.Id == other).SilentMs, 1, long.MaxValue);
    }

    [Fact]
    public async Task Who_decides_that_it_is_dead_itself_is_taken_back_once()
    {
        CancellationToken cancelled = TestContext.Current.CancellationToken;
        // Disposed at the end only: a council that decides without end can't be stopped either.
        var leader = new CouncilLeader(
            new MemoryCouncilStore(), 10_000, () => Volatile.Read(ref _nowNs), NullLogger.Instance, defect => Assert.Fail(defect.ToString()));
        SiloId own = await JoinAsync(leader, "own", 1), other = await JoinAsync(leader, "other", 2);
        leader.OwnSilo = own;
        var opened = Assert.IsType<SessionResult>(((CommandAnswer)await leader.AskAsync(new CommandRequest(default, new OpenSession(1, "", "test", 60_000)), cancelled)).Result);
        // Only who shares shards is suspected.
        var allocated = (CommandAnswer)await leader.AskAsync(
            new CommandRequest(new RequestId(opened.Session, 0, 1), new Allocate(opened.Session, 7, 1 << 20, 2, SegmentFlags.None, default)), cancelled);
        Assert.Equal(RumError.None, allocated.Result.Error);
        var suspected = Assert.IsType<CommandAnswer>(await leader.AskAsync(new CommandRequest(default, new Suspect(own, new Incarnation(1))), cancelled).WaitAsync(Patience, cancelled));
        Assert.Equal(RumError.None, suspected.Error);
        // Suspected and taken back: a decree each. Then nothing more is decided, however often it is looked.
        for (int i = 1; i <= 100; i++)
        {
            Volatile.Write(ref _nowNs, i * ObservedClock.LookNs);
            leader.TakeSign(new SiloSign(own, new Incarnation(1), (ulong)i));
            leader.TakeSign(new SiloSign(other, new Incarnation(2), (ulong)i));
            var answer = Assert.IsType<StatusAnswer>(await leader.AskAsync(new Describe(), cancelled).WaitAsync(Patience, cancelled));
            Assert.InRange(answer.Decree, suspected.Decree, suspected.Decree + 1);
            if (i > 50) Assert.Equal(MemberState.Up, Assert.Single(answer.Status.Members, m => m.Member.Id == own).Member.State);
        }
        leader.Dispose();
    }

    private static async Task<SiloId> JoinAsync(CouncilLeader leader, string name, ulong incarnation)
    {
        var member = new Member(default, name, new Incarnation(incarnation), $"127.0.0.1:{incarnation}", "", "", "", "", "", 64 << 20, false);
        var answer = (CommandAnswer)await leader.AskAsync(new CommandRequest(default, new Join(member)), TestContext.Current.CancellationToken);
        return Assert.IsType<JoinResult>(answer.Result).Silo;
    }
}
