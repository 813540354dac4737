using Orleans.Placement;

namespace Rum.Grains.Placement;

/// <summary>A segment's grain belongs on the silo that holds its first extent; a session's where the ring puts its number.</summary>
[GenerateSerializer, Immutable, Alias("rum.RingPlacement")]
internal sealed class RingPlacement : PlacementStrategy;

/// <summary>Marks a grain as placed by the ring.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class RingPlacementAttribute() : PlacementAttribute(new RingPlacement());

/// <summary>A grain that the keeper moves when the ring has changed.</summary>
internal interface IRingGrain
{
    /// <summary>The shard that it follows; null: that of its key's hash.</summary>
    Rum.Core.ShardId? Shard { get; }
}
