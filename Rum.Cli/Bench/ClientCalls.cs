using System.Diagnostics;
using System.Globalization;
using Rum.Core;

namespace Rum.Cli.Bench;

/// <summary>The .NET client's calls, one line of JSON each: a pin of a resident page, a read of a resident page, a read of any page of a region eight caches large.</summary>
internal static class ClientCalls
{
    private const int Laps = 20_000, Each = 16;

    /// <summary>Measures against a running silo.</summary>
    public static async Task<int> RunAsync(string machines, int mib, int cacheMib, string peers)
    {
        await using RumClient client = await RumClient.ConnectAsync(
            new RumClientOptions { Machines = machines, CacheBytes = (long)cacheMib << 20, Transport = RumTransport.SharedMemory });
        await using RumSegment segment = await client.AllocateAsync((long)mib << 20);
        byte[] page = new byte[Layout.PageSize];
        long pages = segment.Length / Layout.PageSize;
        for (long i = 0; i < pages; i++)
        {
            page.AsSpan().Fill((byte)i);
            segment.Write(i * Layout.PageSize, page);
        }
        segment.Read(0, page);
        Measure("client.tryPin", Each, peers, _ =>
        {
            if (!segment.TryPin(0, Layout.PageSize, out RumPin? pin)) throw new InvalidOperationException("a page that was read just now is not resident");
            pin.Dispose();
        });
        Measure("client.read", Each, peers, _ => segment.Read(0, page));
        ulong state = 1;
        Measure("client.read.far", 1, peers, _ =>
        {
            state = (state * 6364136223846793005) + 1442695040888963407;
            segment.Read((long)((state >> 16) % (ulong)pages) * Layout.PageSize, page);
        });
        return ExitCode.Ok;
    }

    private static void Measure(string name, int each, string peers, Action<int> call)
    {
        for (int i = 0; i < Laps / 4; i++) call(i); // the just-in-time compiler's share, not counted
        var laps = new long[Laps];
        CpuAccount before = CpuAccount.Now(peers);
        long begun = Stopwatch.GetTimestamp(), last = begun;
        for (int i = 0; i < Laps; i++)
        {
            for (int j = 0; j < each; j++) call(i);
            long now = Stopwatch.GetTimestamp();
            laps[i] = now - last;
            last = now;
        }
        (double steal, double foreign) = CpuAccount.Now(peers).Since(before);
        Array.Sort(laps);
        double Us(double fraction) => laps[(int)(Laps * fraction)] * 1e6 / Stopwatch.Frequency / each;
        double rate = Laps * each / ((last - begun) / (double)Stopwatch.Frequency);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{{\"name\":\"{name}\",\"p50_us\":{Us(0.5):F4},\"p99_us\":{Us(0.99):F4},\"ops_per_s\":{rate:F0},\"steal_pct\":{steal:F2},\"foreign_pct\":{foreign:F2}}}"));
    }
}
