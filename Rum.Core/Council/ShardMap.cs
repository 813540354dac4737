using System.Runtime.CompilerServices;

namespace Rum.Core.Council;

/// <summary>
/// A <see cref="ClusterView"/> laid out for the hot path: from page to replica by two array reads, without allocation. Immutable; any thread.
/// </summary>
public sealed class ShardMap
{
    private readonly ShardPlace[] _places;

    /// <summary>Lays out a view.</summary>
    public ShardMap(ClusterView view)
    {
        View = view;
        RingShards = view.RingShards;
        _places = new ShardPlace[view.Shards.Count];
        var indexes = new Dictionary<SiloId, int>();
        for (int i = 0; i < view.Members.Count; i++) indexes[view.Members[i].Id] = i;
        for (int i = 0; i < _places.Length; i++)
        {
            ShardView shard = view.Shards[i];
            Replica lead = shard.State == ShardState.Served && shard.Replicas.Count > 0 ? shard.Replicas[0] : default;
            _places[i] = new ShardPlace(
                shard.Epoch, shard.State, lead.Silo, lead.Incarnation, indexes.TryGetValue(lead.Silo, out int index) ? index : -1);
        }
    }

    /// <summary>The view behind it.</summary>
    public ClusterView View { get; }

    /// <summary>The view's decree.</summary>
    public ulong Decree => View.Decree;

    /// <summary>Shards that the ring spreads.</summary>
    public int RingShards { get; }

    /// <summary>Shards in all.</summary>
    public int ShardCount => _places.Length;

    /// <summary>Where a shard lives. A shard that this view doesn't know is Unassigned at epoch 0: fetch a newer view.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref readonly ShardPlace Place(ShardId shard)
    {
        ShardPlace[] places = _places;
        return ref shard.Value < places.Length ? ref places[shard.Value] : ref Unknown[0];
    }

    /// <summary>The shard of a page.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ShardId ShardOfPage(ShardId firstShard, SegmentFlags flags, long page) =>
        SegmentLayout.ShardOf(firstShard, flags, Layout.ExtentOfPage(page), RingShards);

    private static readonly ShardPlace[] Unknown = [new ShardPlace(0, ShardState.Unassigned, default, default, -1)];
}

/// <summary>Where a shard lives: its lead replica.</summary>
/// <param name="Epoch">The shard's epoch.</param>
/// <param name="State">Only a Served shard has a silo.</param>
/// <param name="Silo">The silo, 0 for none.</param>
/// <param name="Incarnation">Its life.</param>
/// <param name="Member">Its index in <see cref="ClusterView.Members"/>, -1 for none.</param>
public readonly record struct ShardPlace(uint Epoch, ShardState State, SiloId Silo, Incarnation Incarnation, int Member);
