namespace Rum.Core.Ring;

/// <summary>
/// Which silo each shard belongs on: consistent hashing with bounded loads, weighted by capacity, a pure function of the set of nodes.
/// </summary>
/// <remarks>
/// Shards are placed in order. Shard s takes the first silo clockwise of its hash that is not the predecessor's silo and is under its bound:
/// its fair share of the shards placed so far plus a tenth of its whole share. At the end that is 1.1 times the share, and no stretch of
/// consecutive extents can pile up on one silo meanwhile. Neighbours differ wherever no silo offers more than half of all capacity.
/// Source: Mirrokni, Thorup, Zadimoghaddam, Consistent hashing with bounded loads, 2018.
/// </remarks>
public static class ShardAssignment
{
    /// <summary>The load bound over the fair share, in percent.</summary>
    public const int MaxLoadPercent = 110;

    /// <summary>Assigns shards 0 to <paramref name="shards"/> - 1. No silo with capacity: all are silo 0.</summary>
    public static SiloId[] Assign(HashRing ring, int shards)
    {
        var result = new SiloId[shards];
        IReadOnlyList<RingNode> nodes = ring.Nodes;
        if (nodes.Count == 0) return result;

        double total = 0;
        foreach (RingNode node in nodes) total += node.Capacity;
        var share = new double[nodes.Count];
        var limit = new int[nodes.Count];
        long limits = 0;
        for (int i = 0; i < share.Length; i++)
        {
            share[i] = nodes[i].Capacity / total;
            limit[i] = (int)(share[i] * shards * MaxLoadPercent / 100);
            limits += limit[i];
        }
        // Too few shards to divide so finely: round the bounds up instead.
        for (int i = 0; limits < shards && i < limit.Length; i++) limit[i]++;
        if (limit.Sum(static value => (long)value) < shards)
        {
            for (int i = 0; i < limit.Length; i++) limit[i] = (int)Math.Ceiling(share[i] * shards * MaxLoadPercent / 100);
        }

        var load = new int[nodes.Count];
        int previous = -1, first = -1;
        for (int shard = 0; shard < shards; shard++)
        {
            int start = ring.Find(StableHash.Mix(ShardSalt, (ulong)shard));
            int after = shard == shards - 1 ? first : -1;
            int chosen = Choose(ring, start, previous, after, shard, shards, share, limit, load);
            load[chosen]++;
            result[shard] = nodes[chosen].Silo;
            previous = chosen;
            if (shard == 0) first = chosen;
        }
        return result;
    }

    // Any fixed number: it keeps the shards' hashes apart from the virtual nodes'.
    private const ulong ShardSalt = 0x5AAD;

    private static int Choose(
        HashRing ring, int start, int previous, int after, int shard, int shards, double[] share, int[] limit, int[] load)
    {
        int other = -1, any = -1;
        int point = start;
        for (int step = 0; step < ring.PointCount; step++)
        {
            int owner = ring.OwnerAt(point);
            if (++point == ring.PointCount) point = 0;
            if (load[owner] >= limit[owner]) continue;
            if (any < 0) any = owner;
            if (owner == previous || owner == after) continue;
            if (other < 0) other = owner;
            double bound = share[owner] * (shard + 1 + (shards / 10.0));
            if (load[owner] + 1 <= bound + 1) return owner;
        }
        int chosen = other >= 0 ? other : any;
        Invariant.Check(chosen >= 0);
        return chosen;
    }
}
