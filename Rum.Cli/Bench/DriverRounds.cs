using System.Globalization;
using Rum.FastPath.Drivers;
using Rum.FastPath.Drivers.Dpdk;
using Rum.FastPath.Linux;

namespace Rum.Cli.Bench;

/// <summary>Our DPDK driver at both ends of a wire, and nothing above it. Prints one line of JSON like the C programs.</summary>
internal static class DriverRounds
{
    /// <summary>What the serving end says when it can be asked.</summary>
    public const string Ready = "the driver answers";

    /// <summary>Answers until the process ends.</summary>
    public static int Serve(string dpdk)
    {
        using DpdkDriver driver = Open(dpdk);
        Console.WriteLine(Ready);
        DriverProbe.Serve(driver, yields: false, static () => false);
        return ExitCode.Ok;
    }

    /// <summary>Asks.</summary>
    public static int Ask(string dpdk, int depth, int operations, string peers)
    {
        using DpdkDriver driver = Open(dpdk);
        // Whoever is there: the answer says who.
        PeerAddress server = driver.Everybody;
        DriverProbe.Ask(driver, ref server, 1, 1, yields: false);
        // The just-in-time compiler's share, at both ends, isn't counted.
        for (long begun = MonotonicClock.NowNs; MonotonicClock.NowNs - begun < RoundTrip.WarmUpNs;) DriverProbe.Ask(driver, ref server, depth, operations / 10, yields: false);
        CpuAccount before = CpuAccount.Now(peers);
        long start = MonotonicClock.NowNs;
        long[] times = DriverProbe.Ask(driver, ref server, depth, operations, yields: false);
        double seconds = (MonotonicClock.NowNs - start) / 1e9;
        (double steal, double foreign) = CpuAccount.Now(peers).Since(before);
        Array.Sort(times);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{{\"p50_us\":{times[times.Length / 2] / 1e3:F2},\"p99_us\":{times[(int)(times.Length * 0.99)] / 1e3:F2},\"ops_per_s\":{times.Length / seconds:F0},\"steal_pct\":{steal:F2},\"foreign_pct\":{foreign:F2}}}"));
        return ExitCode.Ok;
    }

    private static DpdkDriver Open(string dpdk)
    {
        try
        {
            DpdkOptions options = DpdkOptions.Parse(dpdk);
            Eal.Start(options.Eal);
            ushort[] ports = Eal.Ports();
            if (ports.Length != 1) throw new DpdkException($"{ports.Length} ports; the arguments must name one device.");
            return DpdkDriver.Open(DpdkPort.Look(ports[0]), options);
        }
        catch (DpdkException e)
        {
            throw new CommandFailedException(ExitCode.Failed, e.Message);
        }
    }
}
