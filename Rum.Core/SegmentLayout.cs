using System.Runtime.CompilerServices;

namespace Rum.Core;

/// <summary>Which shard holds an extent: the one formula for council, clients and silos.</summary>
public static class SegmentLayout
{
    /// <summary>
    /// The shard of an extent. Spread: consecutive shards from <paramref name="firstShard"/> on, around within its block of
    /// <paramref name="ringShards"/> shards; block 0 keeps one copy, further ones more. Pinned: always <paramref name="firstShard"/>.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ShardId ShardOf(ShardId firstShard, SegmentFlags flags, long extent, int ringShards)
    {
        if ((flags & SegmentFlags.Pinned) != 0) return firstShard;
        uint ring = (uint)ringShards, block = firstShard.Value < ring ? 0 : firstShard.Value / ring * ring;
        return new ShardId((ushort)(block + ((firstShard.Value - block + (ulong)extent) % ring)));
    }

    /// <summary>Bytes charged for an extent of a segment of <paramref name="size"/> bytes: its pages below the segment's end.</summary>
    public static long ChargeOf(long extent, long size) =>
        Math.Clamp((Layout.PagesFor(size) << Layout.PageShift) - (extent << Layout.ExtentShift), 0, Layout.ExtentSize);
}
