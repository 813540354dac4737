using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Rum.Core;
using Rum.Core.Council;
using Rum.Grains;
using Rum.Grains.Carrying;
using Rum.Silo.Configuration;
using Rum.Silo.Reporting;

namespace Rum.Cli.Bench;

/// <summary>
/// Calls of grains from an Orleans client, one line of JSON each: a bare call, a named segment made and freed, the same pipelined, the council's fsync among them, and
/// what the heartbeats of ten thousand sessions cost the silo.
/// </summary>
internal sealed class OrleansCalls(GrainCalls calls, IGrainFactory grains, string http, string peers)
{
    private const int Laps = 3000, Depth = 64, Sessions = 10_000, Share = 32;

    // As long as the lease: then each session has been renewed and judged, by code that is compiled for good.
    private const int WarmSeconds = 10;

    // Clients beat three times a lease of 10 s.
    private const double BeatsPerSecond = Sessions * 3 / 10.0;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);
    private uint _counter;

    /// <summary>Measures against a running silo on the Orleans plane, or keeps it busy.</summary>
    public static async Task<int> RunAsync(string machines, string http, string peers, bool load)
    {
        System.Net.IPEndPoint[] gateways = [.. Rum.Cli.Commands.ClusterOptions.ReadMachines(machines).Machines.Select(m => OrleansSettings.GatewayOf(m.Endpoint))];
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.UseOrleansClient(client => client
            .UseStaticClustering(gateways)
            .Configure<Orleans.Configuration.ClusterOptions>(options => (options.ClusterId, options.ServiceId) = ("rum", "rum"))
            .UseConnectionRetryFilter(async (_, cancellation) =>
            {
                await Task.Delay(50, cancellation);
                return true;
            }));
        using IHost host = builder.Build();
        await host.StartAsync();
        IGrainFactory factory = host.Services.GetRequiredService<IGrainFactory>();
        var calls = new GrainCalls(factory, TimeSpan.FromSeconds(20));
        var bench = new OrleansCalls(calls, factory, http, peers);
        await (load ? bench.LoadAsync() : bench.MeasureAsync());
        await host.StopAsync();
        return ExitCode.Ok;
    }

    private async Task MeasureAsync()
    {
        SessionId session = await OpenAsync();
        IClusterGrain cluster = grains.GetGrain<IClusterGrain>(0);
        await TimeInTurnsAsync(
            ("orleans.call", () => cluster.RenewAsync([])),
            ("orleans.create_free", () => MakeAndFreeAsync(session, 0, SegmentKey.FromName("bench").Value, ++_counter)));
        // Two decrees: one to make it, one to free it.
        Print("orleans.create_free.fsync", 2 * await SyncUsAsync(), 0, 0, default);
        await PipelinedAsync(session);
        await HeartbeatsAsync();
    }

    private async Task LoadAsync()
    {
        SessionId session = await OpenAsync();
        // One that was killed before may have left its segments behind: they have names.
        string name = $"load {session.Value}";
        await MakeAndFreeAsync(session, 0, SegmentKey.FromName(name).Value, 1);
        Console.WriteLine("{\"name\":\"orleans.load\"}");
        Task load = AllSlotsAsync(session, name, uint.MaxValue / 2);
        while (!load.IsCompleted)
        {
            await calls.RenewAsync([session.Value], default);
            await Task.WhenAny(load, Task.Delay(TimeSpan.FromSeconds(2)));
        }
        await load;
    }

    private Task AllSlotsAsync(SessionId session, string name, uint laps) => Task.WhenAll(Enumerable.Range(0, Depth - 1).Select(async slot =>
    {
        UInt128 key = SegmentKey.FromName($"{name} {slot}").Value;
        for (uint i = 1; i <= laps; i++) await MakeAndFreeAsync(session, (uint)slot + 1, key, i);
    }));

    private async Task PipelinedAsync(SessionId session)
    {
        CpuAccount before = CpuAccount.Now(peers);
        var watch = Stopwatch.StartNew();
        await AllSlotsAsync(session, "bench", Laps / Share);
        Print("orleans.create_free.pipelined", 0, 0, (Depth - 1) * (Laps / Share) / watch.Elapsed.TotalSeconds, CpuAccount.Now(peers).Since(before));
    }

    private async Task HeartbeatsAsync()
    {
        const int seconds = 10;
        var sessions = new ulong[Sessions];
        await Parallel.ForEachAsync(Enumerable.Range(0, Sessions), new ParallelOptions { MaxDegreeOfParallelism = Depth }, async (i, _) => sessions[i] = (await OpenAsync()).Value);
        await BeatAsync(sessions, WarmSeconds);
        CpuAccount before = CpuAccount.Now(peers), alone = CpuAccount.Now("");
        await BeatAsync(sessions, seconds);
        // The silo's own ticks: those of this process with its peers, less those of this process.
        CpuAccount after = CpuAccount.Now(peers), aloneAfter = CpuAccount.Now("");
        double ticks = after.Ours - before.Ours - (aloneAfter.Ours - alone.Ours);
        Print("orleans.heartbeats.cpu_us_per_s", ticks * 1e4 / seconds, 0, 0, after.Since(before));
    }

    private async Task BeatAsync(ulong[] sessions, int seconds)
    {
        int each = (int)Math.Round(BeatsPerSecond * Interval.TotalSeconds), at = 0;
        using var timer = new PeriodicTimer(Interval);
        for (long end = Environment.TickCount64 + (seconds * 1000); Environment.TickCount64 < end;)
        {
            await timer.WaitForNextTickAsync();
            await calls.RenewAsync([.. Enumerable.Range(0, each).Select(i => sessions[(at + i) % Sessions])], default);
            at = (at + each) % Sessions;
        }
    }

    private async Task MakeAndFreeAsync(SessionId session, uint slot, UInt128 key, uint lap)
    {
        Result made = (await calls.DecideAsync(new RequestId(session, slot, (2 * lap) - 1), new Allocate(session, key, 4096, 1, SegmentFlags.None, default), default)).Result;
        if (made is not SegmentResult { Error: RumError.None } segment) throw new BenchException($"a segment could not be made: {made.Message}");
        Result freed = (await calls.DecideAsync(new RequestId(session, slot, 2 * lap), new Free(session, segment.Segment, UInt128.Zero), default)).Result;
        if (freed.Error != RumError.None) throw new BenchException($"a segment could not be freed: {freed.Message}");
    }

    private async Task<SessionId> OpenAsync()
    {
        var open = new OpenSession(new UInt128((ulong)Random.Shared.NextInt64(), (ulong)Random.Shared.NextInt64()), "", "rum bench", 0);
        return ((SessionResult)(await calls.DecideAsync(default, open, default)).Result).Session;
    }

    // The median of all since the silo's start: nearly all of them are those of the calls just made.
    private async Task<double> SyncUsAsync()
    {
        using var client = new HttpClient();
        StatsReport stats = (await client.GetFromJsonAsync($"http://{http}/stats", ReportJson.Default.StatsReport))!;
        return stats.Counters.GetValueOrDefault("rum.council.sync.time.p50") / 1e3;
    }

    // Lap by lap, so that what is compared met the same machine, and both processes' code was as well compiled.
    private async Task TimeInTurnsAsync(params (string Name, Func<Task> Call)[] series)
    {
        for (int i = 0; i < Laps; i++)
        {
            foreach ((_, Func<Task> call) in series) await call(); // the just-in-time compiler's share, not counted
        }
        long[][] times = [.. series.Select(_ => new long[Laps])];
        CpuAccount before = CpuAccount.Now(peers);
        for (int i = 0; i < Laps; i++)
        {
            for (int s = 0; s < series.Length; s++)
            {
                long begun = Stopwatch.GetTimestamp();
                await series[s].Call();
                times[s][i] = Stopwatch.GetTimestamp() - begun;
            }
        }
        (double, double) cpu = CpuAccount.Now(peers).Since(before);
        for (int s = 0; s < series.Length; s++)
        {
            Array.Sort(times[s]);
            Print(series[s].Name, Us(times[s][Laps / 2]), Us(times[s][Laps * 99 / 100]), Laps / (times[s].Sum() / (double)Stopwatch.Frequency), cpu);
        }

        static double Us(long ticks) => ticks * 1e6 / Stopwatch.Frequency;
    }

    private static void Print(string name, double p50Us, double p99Us, double rate, (double Steal, double Foreign) cpu) => Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"{{\"name\":\"{name}\",\"p50_us\":{p50Us:F2},\"p99_us\":{p99Us:F2},\"ops_per_s\":{rate:F0},\"steal_pct\":{cpu.Steal:F2},\"foreign_pct\":{cpu.Foreign:F2}}}"));
}
