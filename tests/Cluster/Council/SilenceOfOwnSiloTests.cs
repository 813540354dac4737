using Microsoft.Extensions.Logging.Abstractions;
using Rum.Core;
using Rum.Core.Council;
using Rum.Core.Sessions;
using Rum.Silo.Council;
using Rum.Silo.Storage;

namespace Rum.Cluster.Tests.Council;

public sealed class SilenceOfOwnSiloTests
{
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

    private static async Task<SiloId> JoinAsync(CouncilLeader leader, string name, ulong incarnation)
    {
        var member = new Member(default, name, new Incarnation(incarnation), "127.0.0.1:1", "", "", "", "", "", 64 << 20, false);
        var answer = (CommandAnswer)await leader.AskAsync(new CommandRequest(default, new Join(member)), TestContext.Current.CancellationToken);
        return Assert.IsType<JoinResult>(answer.Result).Silo;
    }
}
