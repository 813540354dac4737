using System.Runtime.CompilerServices;

namespace Rum.Core;

/// <summary>Which shard holds an extent: the one formula for council, clients and silos.</summary>
public static class SegmentLayout
{
    /// <summary>
    /// The shard of an extent. Spread: consecutive shards of the ring from <paramref name="firstShard"/> on. Pinned: always
    /// <paramref name="firstShard"/>.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ShardId ShardOf(ShardId firstShard, SegmentFlags flags, long extent, int ringShards) =>
        (flags & SegmentFlags.Pinned) != 0 ? firstShard : new ShardId((ushort)((firstShard.Value + (ulong)extent) % (uint)ringShards));

    /// <summary>Bytes charged for an extent of a segment of <paramref name="size"/> bytes: its pages below the segment's end.</summary>
    public static long ChargeOf(long extent, long size) =>
        Math.Clamp((Layout.PagesFor(size) << Layout.PageShift) - (extent << Layout.ExtentShift), 0, Layout.ExtentSize);
}
