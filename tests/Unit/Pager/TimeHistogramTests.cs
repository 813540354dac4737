using Rum.Core;

namespace Rum.Unit.Tests.Pager;

public sealed class TimeHistogramTests
{
    [Fact]
    public void Buckets_tile_the_range_and_are_narrow()
    {
        for (int b = 0; b < TimeHistogram.Buckets; b++)
        {
            long lower = TimeHistogram.LowerNs(b), next = TimeHistogram.LowerNs(b + 1);
            Assert.True(next > lower);
            Assert.Equal(b, TimeHistogram.BucketOf(lower));
            Assert.Equal(b, TimeHistogram.BucketOf(next - 1));
            Assert.True(lower < 16 || (next - lower) * 16 <= lower);
        }

        Assert.Equal(0, TimeHistogram.BucketOf(-5));
        Assert.Equal(TimeHistogram.Buckets - 1, TimeHistogram.BucketOf(long.MaxValue));
    }

    [Fact]
    public void Quantiles_are_right_within_a_bucket()
    {
        TimeHistogram histogram = new();
        for (int i = 1; i <= 10_000; i++) histogram.Add(i * 10);
        long[] counts = histogram.Snapshot();
        Assert.InRange(TimeHistogram.Quantile(counts, 0.5), 50_000 * 0.94, 50_000 * 1.06);
        Assert.InRange(TimeHistogram.Quantile(counts, 0.99), 99_000 * 0.94, 99_000 * 1.06);
        Assert.Equal(0, TimeHistogram.Quantile(new long[4], 0.5));
    }
}
