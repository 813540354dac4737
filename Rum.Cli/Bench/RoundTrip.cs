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

    /// <summary>How long both ends run before anything counts. Code is compiled for good only when it has run for a while and nothing new has come; half a second wasn't enough.</summary>
    internal const long WarmUpNs = 2_000_000_000;

    /// <summary>Runs <paramref name="operations"/> reads, or writes, of pages with so many copies, <paramref name="depth"/> outstanding.</summary>
    public static async Task<int> RunAsync(CouncilSession council, string transport, int depth, int operations, int copies, bool write, string peers)
    {
        var opened = (SessionResult)await council.DecideAsync(new OpenSession(UInt128.CreateTruncating(Random.Shared.NextInt64()) + 1, "", "rum bench", 60_000));
        var request = new RequestId(opened.Session, 0, 1);
        var segment = (SegmentResult)await council.DecideAsync(
            new Allocate(opened.Session, 0, Pages * (long)Layout.PageSize, (byte)copies, SegmentFlags.None, default), request);
        ClusterView view = (await council.AskAsync<ViewAnswer>(new GetView(0))).View!;
        string json;
        using (var client = new PageClient(new PageClientOptions { Requests = Math.Max(depth, 64) }) { Session = opened.Session })
        {
            client.SetRoutes(Connect(view, transport));
            json = Measure(client, new SegmentHandle(segment.Segment, segment.Token, segment.FirstShard, segment.Flags), depth, operations, write, peers);
        }
        await council.DecideAsync(new CloseSession(opened.Session));
        Console.WriteLine(json);
        return ExitCode.Ok;
    }

    private static ClientRoutes Connect(ClusterView view, string transport)
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

    private static string Measure(PageClient client, SegmentHandle segment, int depth, int operations, bool write, string peers)
    {
        using var probe = new TransportProbe(client, segment, Pages, depth);
        probe.Fill();
        for (long begun = MonotonicClock.NowNs; MonotonicClock.NowNs - begun < WarmUpNs;) Run(operations / 10);
        CpuAccount before = CpuAccount.Now(peers);
        long start = MonotonicClock.NowNs;
        long[] times = Run(operations);
        double seconds = (MonotonicClock.NowNs - start) / 1e9;
        (double steal, double foreign) = CpuAccount.Now(peers).Since(before);
        long[] Run(int count) => write ? probe.Write(count) : probe.Read(count);
        Array.Sort(times);
        return string.Create(CultureInfo.InvariantCulture,
            $"{{\"p50_us\":{times[times.Length / 2] / 1e3:F2},\"p99_us\":{times[(int)(times.Length * 0.99)] / 1e3:F2},\"ops_per_s\":{times.Length / seconds:F0},\"steal_pct\":{steal:F2},\"foreign_pct\":{foreign:F2}}}");
    }
}
