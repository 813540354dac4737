using System.Diagnostics;
using Rum.Core;
using Rum.Core.Council;
using Rum.Silo.Control;
using Rum.Silo.Council;

namespace Rum.Cluster.Tests.Council;

/// <summary>How often a silo beside the leader asks what is new: at once where somebody waits for it, else for many decrees together.</summary>
public sealed class MembershipNewsTests
{
    private const int GatherMs = 20;

    [Fact]
    public async Task NewsThatNobodyWaitsForIsFetchedTogether()
    {
        await WithMembershipAsync(async (membership, council) =>
        {
            await MembershipBench.UntilAsync(() => council.Beats > 0, "the first beat");
            int before = council.Beats;
            long begun = Stopwatch.GetTimestamp();
            for (int i = 0; i < 20_000; i++)
            {
                membership.NewsSoon();
                if (i % 100 == 0) await Task.Yield();
            }
            await MembershipBench.UntilAsync(() => council.Beats > before, "a beat for the news");
            // At most one for each interval that has begun.
            int most = (int)(Stopwatch.GetElapsedTime(begun).TotalMilliseconds / (GatherMs - 1)) + 2;
            Assert.InRange(council.Beats - before, 1, most);
        });
    }

    [Fact]
    public async Task UrgentNewsIsFetchedWhateverComesBeside()
    {
        await WithMembershipAsync(async (membership, council) =>
        {
            for (int i = 0; i < 50; i++)
            {
                int before = council.Beats;
                membership.NewsSoon();
                membership.News();
                await MembershipBench.UntilAsync(() => council.Beats > before, "a beat after urgent news");
            }
        });
    }

    private static Task WithMembershipAsync(Func<Membership, OneSiloCouncil, Task> test)
    {
        var council = new OneSiloCouncil();
        return MembershipBench.RunAsync(council, (membership, _) => test(membership, council));
    }

    /// <summary>A council that leads here and has nothing new.</summary>
    private sealed class OneSiloCouncil : ICouncil
    {
        private int _beats;

        public int Beats => Volatile.Read(ref _beats);

        public bool LeadsHere => true;

        public Task<CouncilAnswer> AskAsync(CouncilRequest request, CancellationToken cancellation)
        {
            if (request is SiloHeartbeat) Interlocked.Increment(ref _beats);
            return Task.FromResult(request switch
            {
                CommandRequest { Command: Join } => MembershipBench.Joined,
                SiloHeartbeat => new SiloHeartbeatAnswer(RumError.None, "", 0, 0, 0),
                _ => new CouncilAnswer(RumError.None, "", 0, 0),
            });
        }
    }
}
