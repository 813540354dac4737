using Rum.Core.Ring;

namespace Rum.Core.Council;

/// <summary>
/// Who is who and where each shard lives, as of one decree: immutable, replaced as a whole. What clients and silos need of the council's state.
/// </summary>
/// <param name="ClusterId">Drawn by <c>rum cluster init</c>.</param>
/// <param name="Generation">Raised by <c>rum recover</c>.</param>
/// <param name="Decree">The decree that made it so: a later decree that changes no member and no shard leaves the view as it is.</param>
/// <param name="Members">Ordered by id.</param>
/// <param name="Shards">By shard id; pinned shards stand behind the <paramref name="RingShards"/> first ones.</param>
/// <param name="RingShards">How many shards the ring spreads (4,096).</param>
public sealed record ClusterView(
    Guid ClusterId,
    uint Generation,
    ulong Decree,
    IReadOnlyList<Member> Members,
    IReadOnlyList<ShardView> Shards,
    int RingShards)
{
    /// <summary>How many restores have begun a new life of the memory of this generation.</summary>
    public uint Restores { get; init; }

    /// <summary>
    /// What stands for cluster, generation and restores in every frame, never 0: ends whose numbers differ are refused. By hash, so that clusters that were born on
    /// the same addresses one after the other, with the same numbers of sessions and segments, differ but once in 4 billion times.
    /// </summary>
    public uint FrameGeneration => FrameGenerationOf(ClusterId, Generation, Restores);

    internal static uint FrameGenerationOf(Guid cluster, uint generation, uint restores)
    {
        Span<byte> id = stackalloc byte[16];
        cluster.TryWriteBytes(id);
        UInt128 number = System.Buffers.Binary.BinaryPrimitives.ReadUInt128LittleEndian(id);
        return Math.Max(1, (uint)StableHash.Mix(StableHash.Mix(number), ((ulong)restores << 32) | generation));
    }
}

/// <summary>A silo as the council knows it.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Name">Its name, unique, as in <c>rum status</c>; <c>ip:port</c> unless given.</param>
/// <param name="Incarnation">Its present life.</param>
/// <param name="Endpoint">ip:port of its UDP socket (control and data).</param>
/// <param name="Http">Base address of its HTTP server, empty for none.</param>
/// <param name="SharedMemory">Path of its Unix socket for shared memory, empty for none; works only where <paramref name="HostId"/> is the client's.</param>
/// <param name="HostId">The boot id of its machine.</param>
/// <param name="Mac">Its MAC for DPDK, or empty.</param>
/// <param name="Label">Rack or zone, or empty.</param>
/// <param name="Capacity">Bytes it offers.</param>
/// <param name="Council">Whether it holds the council's log.</param>
public sealed record Member(
    SiloId Id,
    string Name,
    Incarnation Incarnation,
    string Endpoint,
    string Http,
    string SharedMemory,
    string HostId,
    string Mac,
    string Label,
    long Capacity,
    bool Council)
{
    /// <summary>Whether it is in the cluster now.</summary>
    public MemberState State { get; init; }
}

/// <summary>Whether a silo takes part.</summary>
public enum MemberState : byte
{
    /// <summary>Its last word was a join.</summary>
    Up = 0,

    /// <summary>It left; its number waits for its return under the same name.</summary>
    Left = 1,

    /// <summary>An operator empties it: it keeps what it holds until that is elsewhere, and gets nothing new.</summary>
    Draining = 2,

    /// <summary>The failure detector took it for dead: it only keeps shards that nobody else holds.</summary>
    Silent = 3,
}

/// <summary>A shard's epoch and replicas.</summary>
/// <param name="Epoch">Raised by every change of the replicas.</param>
/// <param name="State">Served while a replica in sync holds it.</param>
/// <param name="Replicas">Those that must acknowledge writes, those in sync first; the first is the lead. Of a Lost shard: those that it was lost with.</param>
public sealed record ShardView(uint Epoch, ShardState State, IReadOnlyList<Replica> Replicas);

/// <summary>One replica of a shard: a life of a silo.</summary>
public readonly record struct Replica(SiloId Silo, Incarnation Incarnation, ReplicaState State);

/// <summary>Whether a shard can be read.</summary>
public enum ShardState : byte
{
    /// <summary>No silo holds it yet and nothing was ever stored in it.</summary>
    Unassigned = 0,

    /// <summary>At least one replica is in sync.</summary>
    Served = 1,

    /// <summary>It held pages and no in-sync incarnation is left.</summary>
    Lost = 2,
}

/// <summary>What a replica may be used for.</summary>
public enum ReplicaState : byte
{
    /// <summary>It holds every acknowledged write: it may be read.</summary>
    InSync = 0,

    /// <summary>It acknowledges writes but is still being filled.</summary>
    Learning = 1,
}
