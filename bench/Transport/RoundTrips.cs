using System.Diagnostics;
using System.Globalization;
using Rum.FastPath.Drivers;
using Rum.FastPath.Linux;

namespace Rum.Transport.Bench;

/// <summary>One client thread and one server thread that answers each frame with a page.</summary>
internal sealed class RoundTrips(IDriver server, Func<IDriver> connect, string layout)
{
    private const int WarmUp = 200_000;
    private const int Operations = 1_000_000;
    private static readonly int[] Cpus = Scheduling.AllowedCpus(); // Asked before any thread is bound.

    private readonly bool _one = layout == "one" || Cpus.Length == 1;
    private volatile bool _stop;

    public static PeerAddress ServerAddress { get; set; }

    public string Measure(string name, int outstanding)
    {
        var serving = new Thread(() =>
        {
            Scheduling.TryPin(0, _one ? Cpus[0] : Cpus[1]);
            DriverProbe.Serve(server, _one, () => _stop);
        });
        serving.Start();
        using IDriver client = connect();
        Scheduling.TryPin(0, Cpus[0]);
        PeerAddress address = ServerAddress;
        DriverProbe.Ask(client, ref address, outstanding, WarmUp, _one);
        long start = Stopwatch.GetTimestamp();
        long[] times = DriverProbe.Ask(client, ref address, outstanding, Operations, _one);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        _stop = true;
        serving.Join();
        Array.Sort(times);
        return string.Create(
            CultureInfo.InvariantCulture,
            $$"""{"name":"{{name}}","layout":"{{(_one ? "one" : "split")}}","outstanding":{{outstanding}},"p50_us":{{times[times.Length / 2] / 1e3:F2}},"p99_us":{{times[times.Length * 99L / 100] / 1e3:F2}},"ops_per_s":{{times.Length / seconds:F0}}}""");
    }
}
