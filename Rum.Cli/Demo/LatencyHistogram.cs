namespace Rum.Cli.Demo;

/// <summary>Times by bucket: the lower bound in nanoseconds and how many there were.</summary>
internal sealed class LatencyHistogram
{
    private readonly SortedDictionary<long, long> _counts = [];

    /// <summary>All times.</summary>
    public long Total { get; private set; }

    /// <summary>Buckets with times in them, ascending.</summary>
    public IReadOnlyCollection<KeyValuePair<long, long>> Buckets => _counts;

    public void Add(long lowerNs, long count)
    {
        _counts[lowerNs] = _counts.GetValueOrDefault(lowerNs) + count;
        Total += count;
    }

    /// <summary>The bucket's lower bound below which <paramref name="share"/> of all times lie, in microseconds; 0 when there are none.</summary>
    public double PercentileUs(double share)
    {
        long rank = (long)Math.Ceiling(share * Total), seen = 0;
        foreach ((long lower, long count) in _counts)
        {
            seen += count;
            if (seen >= rank) return lower / 1000.0;
        }
        return 0;
    }
}
