using Rum.Core;
using Rum.Core.Council;

namespace Rum.FastPath.Server;

/// <summary>What one silo must know of a <see cref="ClusterView"/> to judge requests: which shards are its own, and at which epoch. Immutable.</summary>
internal sealed class ServerView
{
    private readonly uint[] _epochs;
    private readonly bool[] _held;

    public ServerView(ClusterView view, Incarnation self)
    {
        Generation = view.Generation;
        Decree = view.Decree;
        _epochs = new uint[view.Shards.Count];
        _held = new bool[view.Shards.Count];
        for (int i = 0; i < _epochs.Length; i++)
        {
            ShardView shard = view.Shards[i];
            _epochs[i] = shard.Epoch;
            if (shard.State != ShardState.Served) continue;
            foreach (Replica replica in shard.Replicas) _held[i] |= replica.Incarnation == self;
        }
    }

    public uint Generation { get; }

    public ulong Decree { get; }

    /// <summary>The epoch of a shard, 0 for one that doesn't exist yet.</summary>
    public uint Epoch(ushort shard) => shard < _epochs.Length ? _epochs[shard] : 0;

    /// <summary>Whether this silo holds the shard at exactly this epoch.</summary>
    public bool Holds(ushort shard, uint epoch) => shard < _held.Length && _held[shard] && _epochs[shard] == epoch;
}
