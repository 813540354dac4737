using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Rum.Core;
using Rum.Core.Council;
using Rum.FastPath.Drivers.Udp;
using Rum.FastPath.Server;
using Rum.Silo.Control;
using Rum.Silo.Council;

namespace Rum.Cluster.Tests.Council;

/// <summary>A silo's page server and its place in a cluster, over a council that the test plays.</summary>
internal static class MembershipBench
{
    /// <summary>Runs a test while the silo keeps its place; <paramref name="before"/> comes first.</summary>
    public static async Task RunAsync(ICouncil council, Func<Membership, PageServer, Task> test, Func<PageServer, Task>? before = null)
    {
        var pool = new PagePool(new PagePoolOptions { CapacityBytes = 1 << 20, SegmentsMax = 16, ExtentsMax = 16 });
        var server = new PageServer(new Incarnation(9), pool, [UdpDriver.Bind(new IPEndPoint(IPAddress.Loopback, 0))]);
        using var thread = new PageServerThread(server, defect => Assert.Fail(defect.ToString()));
        var self = new Member(default, "one", new Incarnation(9), "127.0.0.1:1", "", "", "", "", "", 1 << 20, false);
        var membership = new Membership(self, council, server, NullLogger.Instance);
        if (before is not null) await before(server);
        using var stop = new CancellationTokenSource();
        Task run = membership.RunAsync(stop.Token);
        await test(membership, server);
        await stop.CancelAsync();
        await run;
    }

    /// <summary>Waits without a pause between two looks.</summary>
    public static async Task UntilAsync(Func<bool> condition, string what)
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(60), $"Not within 60 s: {what}");
            await Task.Yield();
        }
    }

    /// <summary>What every council says to a silo that joins.</summary>
    public static CouncilAnswer Joined { get; } = new CommandAnswer(RumError.None, "", 0, 0, new JoinResult(RumError.None, "", 0, new SiloId(1)));
}
