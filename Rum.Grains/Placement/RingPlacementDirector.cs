using Orleans.Runtime.Placement;
using Rum.Core;

namespace Rum.Grains.Placement;

/// <summary>
/// Picks, among the silos that Orleans finds compatible, the one that the ring names. Where that one isn't among them (it has just left, or runs another
/// version), any silo does for a while, but the same one for all who ask.
/// </summary>
internal sealed class RingPlacementDirector(GrainRing ring) : IPlacementDirector
{
    /// <inheritdoc/>
    public async Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        SiloAddress[] compatible = context.GetCompatibleSilos(target);
        if (IPlacementDirector.GetPlacementHint(target.RequestContextData, compatible) is { } hint) return hint;
        string key = target.GrainIdentity.Key.ToString()!;
        ShardId shard = await ring.FindAsync(key).ConfigureAwait(false);
        if (ring.SiloOf(shard) is { } home && compatible.Contains(home)) return home;
        return compatible.OrderBy(silo => silo).ElementAt((int)(target.GrainIdentity.GetUniformHashCode() % (uint)compatible.Length));
    }
}
