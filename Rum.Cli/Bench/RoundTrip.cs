using System.Diagnostics;
using System.Globalization;
using System.Net;
using Rum.Cli.Commands;
using Rum.Core;
using Rum.Core.Council;
using Rum.FastPath.Client;
using Rum.FastPath.Drivers.Dpdk;
using Rum.FastPath.Drivers.SharedMemory;
using Rum.FastPath.Drivers.Udp;
using Rum.FastPath.Linux;

namespace Rum.Cli.Bench;

/// <summary>
/// A transport without the pager: pages read by random number, or written in turn, through the page client, so many outstanding, polled.
/// Prints one line of JSON like the C programs.
/// </summary>
internal static class RoundTrip
{
    private const int Pages = 4096;
    private static readonly TimeSpan CopiesPatience = TimeSpan.FromSeconds(20);

    /// <summary>How long both ends run before anything counts. Code is compiled for good only when it has run for a while and nothing new has come; half a second wasn't enough.</summary>
    internal const long WarmUpNs = 2_000_000_000;

    /// <summary>
    /// Runs <paramref name="operations"/> reads, or writes, of pages with so many copies, <paramref name="depth"/> outstanding. <paramref name="apart"/>: writes, one at a time, of a page with one copy
    /// at each of so many silos: the work of so many copies at as many silos without anything of replication.
    /// </summary>
    public static async Task<int> RunAsync(CouncilSession council, string transport, int depth, int operations, int copies, bool write, bool apart, string peers)
    {
        var opened = (SessionResult)await council.DecideAsync(new OpenSession(UInt128.CreateTruncating(Random.Shared.NextInt64()) + 1, "", "rum bench", 60_000));
        ClusterView view = (await council.AskAsync<ViewAnswer>(new GetView(0))).View!;
        var segments = new SegmentHandle[apart ? copies : 1];
        if (segments.Length > view.Members.Count) throw new CommandFailedException(ExitCode.Usage, $"--copies {copies}: there are {view.Members.Count} silos");
        for (int i = 0; i < segments.Length; i++)
        {
            Allocate allocate = apart
                ? new Allocate(opened.Session, 0, Pages * (long)Layout.PageSize, 1, SegmentFlags.None, view.Members[i].Id)
                : new Allocate(opened.Session, 0, Pages * (long)Layout.PageSize, (byte)copies, SegmentFlags.None, default);
            var made = (SegmentResult)await council.DecideAsync(allocate, new RequestId(opened.Session, 0, (uint)i + 1));
            segments[i] = new SegmentHandle(made.Segment, made.Token, made.FirstShard, made.Flags);
        }
        // This client never fetches another view: all copies are to be in sync in its own.
        for (var waited = Stopwatch.StartNew(); (await council.AskAsync<StatusAnswer>(new Describe())).Status is { Incomplete: > 0 } or { Learning: > 0 }; await Task.Delay(10))
            if (waited.Elapsed > CopiesPatience) throw new CommandFailedException(ExitCode.Failed, $"not within {CopiesPatience.TotalSeconds} s: all copies in sync");
        view = (await council.AskAsync<ViewAnswer>(new GetView(0))).View!;
        string json;
        using (var client = new PageClient(new PageClientOptions { Requests = Math.Max(depth, 64) }) { Session = opened.Session })
        {
            client.SetRoutes(Connect(view, transport));
            json = Measure(client, segments, depth, operations, write || apart, peers);
        }
        await council.DecideAsync(new CloseSession(opened.Session));
        Console.WriteLine(json);
        return ExitCode.Ok;
    }

    /// <summary>The ways to the silos of a view.</summary>
    internal static ClientRoutes Connect(ClusterView view, string transport)
    {
        if (transport == DpdkDriver.Name)
        {
            var ways = new DpdkWays(DpdkOptions.Parse(Environment.GetEnvironmentVariable("RUM_DPDK") ?? ""));
            ways.Refresh(view.Members.Count);
            return new ClientRoutes(new ShardMap(view), [.. view.Members.Select(member =>
                ways.RouteTo(member.Incarnation, member.Mac) ?? throw new CommandFailedException(ExitCode.Failed, $"{member.Endpoint} doesn't answer over DPDK"))]);
        }
        var udp = new Lazy<UdpDriver>(() => UdpDriver.Toward([.. view.Members.Select(member => IPEndPoint.Parse(member.Endpoint))]));
        return new ClientRoutes(new ShardMap(view), [.. view.Members.Select(member => transport switch
        {
            "shm" => new SiloRoute(member.Incarnation, SharedMemoryClientDriver.Connect(member.SharedMemory), SharedMemoryClientDriver.Silo),
            "udp" => new SiloRoute(member.Incarnation, udp.Value, UdpPeer.From(IPEndPoint.Parse(member.Endpoint))),
            _ => throw new CommandFailedException(ExitCode.Usage, $"--transport {transport}: there are shm, udp and dpdk"),
        })]);
    }

    private static string Measure(PageClient client, SegmentHandle[] segments, int depth, int operations, bool write, string peers)
    {
        using var probe = new TransportProbe(client, segments[0], Pages, depth);
        probe.Fill();
        for (long begun = MonotonicClock.NowNs; MonotonicClock.NowNs - begun < WarmUpNs;) Run(operations / 10);
        CpuAccount before = CpuAccount.Now(peers);
        long start = MonotonicClock.NowNs;
        long[] times = Run(operations);
        double seconds = (MonotonicClock.NowNs - start) / 1e9;
        (double steal, double foreign) = CpuAccount.Now(peers).Since(before);
        long[] Run(int count) => segments.Length > 1 ? probe.WriteEach(segments, count) : write ? probe.Write(count) : probe.Read(count);
        Array.Sort(times);
        return string.Create(CultureInfo.InvariantCulture,
            $"{{\"p50_us\":{times[times.Length / 2] / 1e3:F2},\"p99_us\":{times[(int)(times.Length * 0.99)] / 1e3:F2},\"ops_per_s\":{times.Length / seconds:F0},\"steal_pct\":{steal:F2},\"foreign_pct\":{foreign:F2}}}");
    }
}
