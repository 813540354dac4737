using Rum.Core;
using Rum.Core.Council;

namespace Rum.Tests.Unit.Core;

public sealed class ShardMapTests
{
    [Fact]
    public void A_page_is_found_where_the_view_says_without_allocation()
    {
        var council = new CouncilBench();
        council.Join("a", 1L << 36);
        council.Join("b", 1L << 36);
        SegmentResult segment = council.Allocate(council.Session(), 100 * Layout.ExtentSize);
        SegmentResult pinned = council.Allocate(council.Session(), 3 * Layout.ExtentSize, silo: new SiloId(2));
        var map = new ShardMap(council.View);
        for (long extent = 0; extent < 100; extent++)
        {
            ShardId shard = map.ShardOfPage(segment.FirstShard, segment.Flags, (extent * Layout.PagesPerExtent) + 5);
            Assert.Equal((segment.FirstShard.Value + extent) % 64, shard.Value);
            ref readonly ShardPlace place = ref map.Place(shard);
            ShardView expected = council.View.Shards[shard.Value];
            Assert.Equal((expected.Epoch, ShardState.Served, expected.Replicas[0].Silo, expected.Replicas[0].Incarnation), (place.Epoch, place.State, place.Silo, place.Incarnation));
            Assert.Equal((1, 1, place.Incarnation), (place.Count, place.InSync, map.Replica(place, 0).Incarnation));
            Assert.Equal(place.Silo, council.View.Members[place.Member].Id);
        }
        Assert.Equal(pinned.FirstShard, map.ShardOfPage(pinned.FirstShard, pinned.Flags, 2 * Layout.PagesPerExtent));
        Assert.Equal(new SiloId(2), map.Place(pinned.FirstShard).Silo);

        long before = GC.GetAllocatedBytesForCurrentThread();
        int served = 0;
        for (long page = 0; page < 100_000; page++)
        {
            if (map.Place(map.ShardOfPage(segment.FirstShard, segment.Flags, page)).State == ShardState.Served) served++;
        }
        Assert.Equal((100_000, 0), (served, GC.GetAllocatedBytesForCurrentThread() - before));
    }

    [Fact]
    public void A_shard_that_the_view_doesnt_know_or_that_is_lost_has_no_silo()
    {
        var council = new CouncilBench();
        council.Join("a", 1L << 30);
        SegmentResult segment = council.Allocate(council.Session(), 1);
        council.Join("a", 1L << 30);
        var map = new ShardMap(council.View);
        Assert.Equal(ShardState.Lost, map.Place(segment.FirstShard).State);
        Assert.Equal((default, -1), (map.Place(segment.FirstShard).Silo, map.Place(segment.FirstShard).Member));
        Assert.Equal(ShardState.Unassigned, map.Place(new ShardId(64)).State);
        Assert.Equal(ShardState.Unassigned, map.Place(new ShardId(ushort.MaxValue)).State);
    }

    [Theory]
    [InlineData(0L, 1L, 4096L)]
    [InlineData(0L, Layout.ExtentSize, Layout.ExtentSize)]
    [InlineData(1L, Layout.ExtentSize, 0L)]
    [InlineData(1L, Layout.ExtentSize + 4097, 8192L)]
    [InlineData(0L, Layout.MaxSegmentSize, Layout.ExtentSize)]
    public void An_extent_is_charged_for_its_pages_below_the_end(long extent, long size, long bytes) =>
        Assert.Equal(bytes, SegmentLayout.ChargeOf(extent, size));
}
