using System.Collections.Concurrent;

namespace Rum.Grains.Placement;

/// <summary>This silo's activations that follow the ring. Any thread.</summary>
internal sealed class LocalGrains
{
    private readonly ConcurrentDictionary<IGrainContext, IRingGrain> _grains = new();

    public void Add(IGrainContext context, IRingGrain grain) => _grains[context] = grain;

    public void Remove(IGrainContext context) => _grains.TryRemove(context, out _);

    public IEnumerable<KeyValuePair<IGrainContext, IRingGrain>> All => _grains;

    /// <summary>Activations of a kind: those whose key says so.</summary>
    public HashSet<string> Keys() => [.. _grains.Keys.Select(context => context.GrainId.Key.ToString()!)];
}
