using Rum.Core;
using Rum.Core.Council;
using Rum.FastPath.Drivers;

namespace Rum.FastPath.Server;

/// <summary>What one silo must know of a <see cref="ClusterView"/> to judge requests: which shards are its own, as what, and at which epoch. Immutable.</summary>
internal sealed class ServerView
{
    private readonly uint[] _epochs;
    private readonly Role[] _roles;
    private readonly bool[] _replicated;

    private enum Role : byte
    {
        None,
        InSync,
        Learning,
    }

    public ServerView(ClusterView view, Incarnation self, Func<Member, PeerAddress?> peerOf)
    {
        Generation = view.FrameGeneration;
        Decree = view.Decree;
        _epochs = new uint[view.Shards.Count];
        _roles = new Role[view.Shards.Count];
        _replicated = new bool[view.Shards.Count];
        var lessons = new List<Lesson>();
        for (int i = 0; i < _epochs.Length; i++)
        {
            ShardView shard = view.Shards[i];
            _epochs[i] = shard.Epoch;
            if (shard.State != ShardState.Served) continue;
            _replicated[i] = shard.Replicas.Count > 1;
            foreach (Replica replica in shard.Replicas)
            {
                if (replica.Incarnation != self) continue;
                _roles[i] = replica.State == ReplicaState.InSync ? Role.InSync : Role.Learning;
                if (replica.State != ReplicaState.Learning) continue;
                Replica lead = shard.Replicas[0];
                PeerAddress? peer = null;
                foreach (Member member in view.Members)
                    if (member.Id == lead.Silo && member.Incarnation == lead.Incarnation) peer = peerOf(member);
                // Without a way to the lead there is nothing to learn; the next view may have one.
                if (peer is { } address) lessons.Add(new Lesson(new ShardId((ushort)i), shard.Epoch, lead.Incarnation, address));
            }
        }
        Lessons = [.. lessons];
    }

    public uint Generation { get; }

    public ulong Decree { get; }

    /// <summary>Shards that this silo must learn.</summary>
    public Lesson[] Lessons { get; }

    /// <summary>The epoch of a shard, 0 for one that doesn't exist yet.</summary>
    public uint Epoch(ushort shard) => shard < _epochs.Length ? _epochs[shard] : 0;

    /// <summary>Whether this silo holds the shard at exactly this epoch, in sync or learning.</summary>
    public bool Holds(ushort shard, uint epoch) => shard < _roles.Length && _roles[shard] != Role.None && _epochs[shard] == epoch;

    /// <summary>Shards that exist.</summary>
    public int Shards => _epochs.Length;

    /// <summary>Whether this silo answers reads of the shard.</summary>
    public bool IsInSync(int shard) => shard < _roles.Length && _roles[shard] == Role.InSync;

    /// <summary>Whether this silo learns the shard.</summary>
    public bool Learns(ushort shard) => _roles[shard] == Role.Learning;

    /// <summary>Whether others hold the shard too.</summary>
    public bool Replicated(ushort shard) => shard < _replicated.Length && _replicated[shard];
}

/// <summary>A shard to be learned from its lead.</summary>
internal readonly record struct Lesson(ShardId Shard, uint Epoch, Incarnation Lead, PeerAddress Peer);
