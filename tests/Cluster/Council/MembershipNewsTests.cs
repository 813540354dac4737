using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Rum.Core;
using Rum.Core.Council;
using Rum.FastPath.Drivers.Udp;
using Rum.FastPath.Memory;
using Rum.FastPath.Server;
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
            await UntilAsync(() => council.Beats > 0, "the first beat");
            int before = council.Beats;
            long begun = Stopwatch.GetTimestamp();
            for (int i = 0; i < 20_000; i++)
            {
                membership.NewsSoon();
                if (i % 100 == 0) await Task.Yield();
            }
            await UntilAsync(() => council.Beats > before, "a beat for the news");
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
                await UntilAsync(() => council.Beats > before, "a beat after urgent news");
            }
        });
    }

    private static async Task WithMembershipAsync(Func<Membership, OneSiloCouncil, Task> test)
    {
        var pool = new PagePool(new PagePoolOptions { CapacityBytes = 1 << 20, SegmentsMax = 16, ExtentsMax = 16 });
        var server = new PageServer(new Incarnation(9), pool, [UdpDriver.Bind(new IPEndPoint(IPAddress.Loopback, 0))]);
        using var thread = new PageServerThread(server, defect => Assert.Fail(defect.ToString()));
        var council = new OneSiloCouncil();
        var self = new Member(default, "one", new Incarnation(9), "127.0.0.1:1", "", "", "", "", "", 1 << 20, false);
        var membership = new Membership(self, council, server, NullLogger.Instance);
        using var stop = new CancellationTokenSource();
        Task run = membership.RunAsync(stop.Token);
        await test(membership, council);
        await stop.CancelAsync();
        await run;
    }

    private static async Task UntilAsync(Func<bool> condition, string what)
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(60), $"Not within 60 s: {what}");
            await Task.Yield();
        }
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
                CommandRequest { Command: Join } => new CommandAnswer(RumError.None, "", 0, 0, new JoinResult(RumError.None, "", 0, new SiloId(1))),
                SiloHeartbeat => new SiloHeartbeatAnswer(RumError.None, "", 0, 0, 0),
                _ => new CouncilAnswer(RumError.None, "", 0, 0),
            });
        }
    }
}
