using System.Numerics;

namespace Rum.Core;

/// <summary>
/// Counts of times by log-linear buckets: 16 per power of two, so a bucket is at most 6.25% wide. Range 0 ns to 2^41 ns (36 minutes);
/// longer ones count in the last bucket. One thread adds; others may read while it does (each count by itself is right).
/// </summary>
public sealed class TimeHistogram
{
    private const int SubShift = 4;
    private const int Sub = 1 << SubShift;

    /// <summary>How many buckets there are.</summary>
    public const int Buckets = (41 - SubShift + 1) * Sub;

    private readonly long[] _counts = new long[Buckets];

    /// <summary>Counts one time, in nanoseconds.</summary>
    public void Add(long ns) => _counts[BucketOf(ns)]++;

    /// <summary>The bucket of a time.</summary>
    public static int BucketOf(long ns)
    {
        if (ns < Sub) return ns < 0 ? 0 : (int)ns;
        int top = BitOperations.Log2((ulong)ns);
        int bucket = ((top - SubShift + 1) << SubShift) + (int)(ns >> (top - SubShift) & (Sub - 1));
        return Math.Min(bucket, Buckets - 1);
    }

    /// <summary>The least time that counts in a bucket, in nanoseconds; <see cref="Buckets"/> gives the end of the last.</summary>
    public static long LowerNs(int bucket)
    {
        if (bucket < Sub) return bucket;
        int power = (bucket >> SubShift) - 1;
        return (long)(Sub + (bucket & (Sub - 1))) << power;
    }

    /// <summary>A copy of the counts.</summary>
    public long[] Snapshot() => (long[])_counts.Clone();

    /// <summary>
    /// The time below which a share of <paramref name="quantile"/> (0 to 1) of the counted lies, in nanoseconds, interpolated inside the
    /// bucket; 0 when nothing was counted.
    /// </summary>
    public static double Quantile(IReadOnlyList<long> counts, double quantile)
    {
        long total = 0;
        for (int b = 0; b < counts.Count; b++) total += counts[b];
        if (total == 0) return 0;
        double rank = quantile * total;
        long before = 0;
        for (int b = 0; b < counts.Count; b++)
        {
            if (counts[b] > 0 && before + counts[b] >= rank)
                return LowerNs(b) + (LowerNs(b + 1) - LowerNs(b)) * Math.Clamp((rank - before) / counts[b], 0, 1);
            before += counts[b];
        }

        return LowerNs(counts.Count);
    }
}
