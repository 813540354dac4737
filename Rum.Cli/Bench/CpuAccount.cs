using System.Globalization;

namespace Rum.Cli.Bench;

/// <summary>Processor time in clock ticks, as proc(5) tells it: the whole machine's, and that of this process and its peers.</summary>
internal readonly record struct CpuAccount(long Busy, long Steal, long All, long Ours)
{
    /// <summary>As of now; <paramref name="peers"/> are the process ids that serve the measurement, separated by commas.</summary>
    public static CpuAccount Now(string peers)
    {
        long[] v = [.. File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Take(8)
            .Select(field => long.Parse(field, CultureInfo.InvariantCulture))];
        long ours = Ticks("self");
        foreach (string peer in peers.Split(',', StringSplitOptions.RemoveEmptyEntries)) ours += Ticks(peer);
        return new CpuAccount(v[0] + v[1] + v[2] + v[5] + v[6], v[7], v.Sum(), ours);
    }

    /// <summary>Steal and foreign time since <paramref name="before"/>, in percent of the whole machine's time.</summary>
    public (double StealPct, double ForeignPct) Since(CpuAccount before)
    {
        double all = All - before.All;
        if (all <= 0) return (0, 0);
        return (100 * (Steal - before.Steal) / all, 100 * Math.Max(0, Busy - before.Busy - (Ours - before.Ours)) / all);
    }

    private static long Ticks(string process)
    {
        string path = $"/proc/{process}/stat";
        if (!File.Exists(path)) return 0;
        string[] fields = File.ReadAllText(path).Split(')')[^1].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
    }
}
