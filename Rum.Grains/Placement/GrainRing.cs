using Orleans.Runtime.Placement;
using Rum.Core;
using Rum.Core.Council;
using Rum.Silo;
using StableHash = Rum.Core.Ring.StableHash;

namespace Rum.Grains.Placement;

/// <summary>
/// Where grains belong: the data plane's own shard map, and Orleans' silos by the names that both planes know them by. Any thread.
/// </summary>
internal sealed class GrainRing(SiloNode node, GrainCouncil council, IClusterMembershipService membership, ILocalSiloDetails self)
{
    /// <summary>This silo's number.</summary>
    public SiloId Self => node.Membership.Id;

    /// <summary>What changes whenever an answer of this object may: the view's decree and the version of Orleans' membership.</summary>
    public (ulong Decree, long Membership) Version => (node.Membership.Map?.Decree ?? 0, membership.CurrentSnapshot.Version.Value);

    /// <summary>Active silos in Orleans' membership.</summary>
    public int ActiveSilos => membership.CurrentSnapshot.Members.Values.Count(static m => m.Status == SiloStatus.Active);

    /// <summary>The shard that a grain follows: its segment's first where the segment exists, else that of the hash, where a new segment begins.</summary>
    public async ValueTask<ShardId> FindAsync(string key)
    {
        if (!GrainKeys.TryParseSegment(key, out SegmentKey named, out SegmentId segment)) return Hash(GrainKeys.TryParseSession(key, out ulong session) ? StableHash.Mix(session) : TextHash(key));
        if (await council.AskAsync(new ShowSegment(named.Value, segment)).ConfigureAwait(false) is SegmentAnswer { Details: { } details }) return details.FirstShard;
        return Hash(named.IsAnonymous ? StableHash.Mix(segment.Value) : StableHash.Mix(named.Value));
    }

    /// <summary>The shard of a session's grain.</summary>
    public ShardId OfSession(ulong session) => Hash(StableHash.Mix(session));

    /// <summary>The silo that holds a shard, 0 for none.</summary>
    public SiloId HomeOf(ShardId shard) => node.Membership.Map?.Place(shard).Silo ?? default;

    /// <summary>The Orleans silo that holds a shard; null when there is none, or it is not active.</summary>
    public SiloAddress? SiloOf(ShardId shard)
    {
        if (node.Membership.Map is not { } map || map.Place(shard) is not { Member: >= 0 } place) return null;
        string name = map.View.Members[place.Member].Name;
        foreach (ClusterMember member in membership.CurrentSnapshot.Members.Values)
        {
            if (member.Status == SiloStatus.Active && member.Name == name) return member.SiloAddress;
        }
        return null;
    }

    /// <summary>The silo that holds a shard if that is another than this one.</summary>
    public SiloAddress? Elsewhere(ShardId shard) => SiloOf(shard) is { } home && !home.Equals(self.SiloAddress) ? home : null;

    /// <summary>Whether this silo holds a shard.</summary>
    public bool IsHere(ShardId shard) => SiloOf(shard) is { } home && home.Equals(self.SiloAddress);

    /// <summary>A request context that asks for a silo.</summary>
    public static Dictionary<string, object> Hint(SiloAddress silo) => new() { [IPlacementDirector.PlacementHintKey] = silo };

    private ShardId Hash(ulong hash) => new((ushort)(hash % (uint)Math.Max(1, node.Membership.Map?.RingShards ?? Layout.DefaultShardCount)));

    private static ulong TextHash(string text)
    {
        ulong hash = 0;
        foreach (char one in text) hash = StableHash.Mix(hash, one);
        return hash;
    }
}
