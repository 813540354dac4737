using Rum.Core;

namespace Rum.FastPath.Client;

/// <summary>What a page request must know of its segment. A value of 32 bytes; copied freely.</summary>
/// <param name="Segment">The segment.</param>
/// <param name="Token">The write token, 0 for readers.</param>
/// <param name="FirstShard">The shard of extent 0; extent e is in shard <c>(FirstShard + e) mod shards</c> unless pinned.</param>
/// <param name="Flags">Pinned: all extents are in <paramref name="FirstShard"/>. Sparse: not charged.</param>
public readonly record struct SegmentHandle(SegmentId Segment, ulong Token, ShardId FirstShard, SegmentFlags Flags);
