using System.Runtime.CompilerServices;

namespace Rum.Core.Council;

/// <summary>
/// A <see cref="ClusterView"/> laid out for the hot path: from page to replica by two array reads, without allocation. Immutable; any thread.
/// </summary>
public sealed class ShardMap
{
    private readonly ShardPlace[] _places;
    private readonly ReplicaPlace[] _replicas;

    /// <summary>Lays out a view.</summary>
    public ShardMap(ClusterView view)
    {
        View = view;
        FrameGeneration = view.FrameGeneration;
        RingShards = view.RingShards;
        _places = new ShardPlace[view.Shards.Count];
        var indexes = new Dictionary<SiloId, int>();
        for (int i = 0; i < view.Members.Count; i++) indexes[view.Members[i].Id] = i;
        var replicas = new List<ReplicaPlace>(view.Shards.Count);
        for (int i = 0; i < _places.Length; i++)
        {
            ShardView shard = view.Shards[i];
            int first = replicas.Count, inSync = 0;
            foreach (Replica replica in shard.State == ShardState.Served ? shard.Replicas : [])
            {
                replicas.Add(new ReplicaPlace(replica.Incarnation, (short)indexes.GetValueOrDefault(replica.Silo, -1)));
                // Those in sync stand first, the council says; a view that says otherwise has only the first ones.
                if (replica.State == ReplicaState.InSync && inSync == replicas.Count - 1 - first) inSync++;
            }
            Replica lead = inSync > 0 ? shard.Replicas[0] : default;
            _places[i] = new ShardPlace(
                shard.Epoch, shard.State, lead.Silo, lead.Incarnation, indexes.TryGetValue(lead.Silo, out int index) ? index : -1)
            {
                First = first,
                Count = (byte)(inSync > 0 ? replicas.Count - first : 0),
                InSync = (byte)inSync,
            };
        }
        _replicas = [.. replicas];
    }

    /// <summary>The view behind it.</summary>
    public ClusterView View { get; }

    /// <summary>What frames of this cluster carry.</summary>
    public uint FrameGeneration { get; }

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

    /// <summary>One of a place's replicas; those in sync come first, the lead is 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref readonly ReplicaPlace Replica(in ShardPlace place, int index) => ref _replicas[place.First + index];

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
public readonly record struct ShardPlace(uint Epoch, ShardState State, SiloId Silo, Incarnation Incarnation, int Member)
{
    internal int First { get; init; }

    /// <summary>Replicas that must acknowledge writes.</summary>
    public byte Count { get; init; }

    /// <summary>Those of them that may be read; they come first.</summary>
    public byte InSync { get; init; }
}

/// <summary>A replica of a shard.</summary>
/// <param name="Incarnation">The life of the silo.</param>
/// <param name="Member">The silo's index in <see cref="ClusterView.Members"/>, -1 for none.</param>
public readonly record struct ReplicaPlace(Incarnation Incarnation, short Member);
