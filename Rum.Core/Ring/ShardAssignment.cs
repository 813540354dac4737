namespace Rum.Core.Ring;

/// <summary>
/// Which silo each shard belongs on: consistent hashing with bounded loads, weighted by capacity, a pure function of the set of nodes.
/// </summary>
/// <remarks>
/// Shards are placed in order. Shard s takes the first silo clockwise of its hash that is not the predecessor's silo and is under its bound:
/// its fair share of the shards placed so far plus a part of its whole share; never above 1.1 times that. So no stretch of
/// consecutive extents piles up on one silo. Neighbours differ unless a silo offers about half of all capacity or more: then its shards must meet.
/// Movement: a join must move the new silo's share. Bounded loads add what overflows from silo to silo, O(1 / slack^2) times as much in the worst
/// case of the paper; the rule for neighbours adds what one changed shard pushes on to the next. Measured, as a multiple of the share: 1.2 and at
/// most 1.7 at 16 silos of 2 to 8 units, 2.0 and at most 2.6 at 1,000; with three such silos, where the rule leaves little choice, 2.1 and at
/// most 5.5. A leave is the same in reverse. A silo of twice the largest capacity so far renumbers the virtual nodes: more moves, once.
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
        var skips = new int[ring.PointCount];
        int previous = -1, first = -1;
        for (int shard = 0; shard < shards; shard++)
        {
            int start = ring.Find(StableHash.Mix(ShardSalt, (ulong)shard));
            int after = shard == shards - 1 ? first : -1;
            int chosen = Choose(ring, start, previous, after, shard, shards, share, limit, load, skips);
            load[chosen]++;
            result[shard] = nodes[chosen].Silo;
            previous = chosen;
            if (shard == 0) first = chosen;
        }
        return result;
    }

    /// <summary>
    /// Assigns so many different silos to each shard, the lead as above. Each further one is the next clockwise of a hash of its own that is under the
    /// same bound for its place in the order, and, with <paramref name="racks"/>, on another rack than those before where there is one.
    /// </summary>
    public static SiloSet[] Assign(HashRing ring, int shards, int copies, IReadOnlyDictionary<SiloId, string>? racks = null)
    {
        SiloId[] leads = Assign(ring, shards);
        var result = new SiloSet[shards];
        IReadOnlyList<RingNode> nodes = ring.Nodes;
        if (nodes.Count == 0) return result;
        double total = 0;
        foreach (RingNode node in nodes) total += node.Capacity;
        var limit = new int[nodes.Count];
        for (int i = 0; i < limit.Length; i++) limit[i] = (int)Math.Ceiling(nodes[i].Capacity / total * shards * MaxLoadPercent / 100);
        var loads = new int[copies, nodes.Count];
        Span<SiloId> chosen = stackalloc SiloId[SiloSet.Max];
        for (int shard = 0; shard < shards; shard++)
        {
            chosen[0] = leads[shard];
            int count = 1;
            while (count < Math.Min(copies, nodes.Count))
            {
                int next = ChooseNext(ring, shard, count, chosen[..count], limit, loads, racks);
                loads[count, next]++;
                chosen[count++] = nodes[next].Silo;
            }
            result[shard] = SiloSet.Of(chosen[..count]);
        }
        return result;
    }

    private static int ChooseNext(
        HashRing ring, int shard, int place, ReadOnlySpan<SiloId> before, int[] limit, int[,] loads, IReadOnlyDictionary<SiloId, string>? racks)
    {
        // Another rack is worth more than an even load.
        int otherRackFull = -1, sameRack = -1, sameRackFull = -1;
        int point = ring.Find(StableHash.Mix(ShardSalt + (ulong)place, (ulong)shard));
        for (int step = 0; step < ring.PointCount; step++)
        {
            int owner = ring.OwnerAt(point);
            if (++point == ring.PointCount) point = 0;
            SiloId silo = ring.Nodes[owner].Silo;
            if (before.Contains(silo)) continue;
            bool otherRack = true;
            if (racks is not null)
                foreach (SiloId earlier in before) otherRack &= racks[earlier] != racks[silo];
            bool full = loads[place, owner] >= limit[owner];
            if (otherRack && !full) return owner;
            ref int found = ref otherRack ? ref otherRackFull : ref full ? ref sameRackFull : ref sameRack;
            if (found < 0) found = owner;
        }
        return otherRackFull >= 0 ? otherRackFull : sameRack >= 0 ? sameRack : sameRackFull;
    }

    // A silo may be this far ahead of its share even where that is more than the percentage: else the bound would bind everywhere where a silo has
    // few shards, and each join would push shards from silo to silo (at 1,000 silos and 65,536 shards 12 times the new silo's share).
    private const int SlackShards = 32;

    // Less than the tenth that is allowed in the end, so that near the end there is still a choice of neighbours.
    private const int AheadPercent = 8;

    // Any fixed number: it keeps the shards' hashes apart from the virtual nodes'.
    private const ulong ShardSalt = 0x5AAD;

    private static int Choose(
        HashRing ring, int start, int previous, int after, int shard, int shards, double[] share, int[] limit, int[] load, int[] skips)
    {
        int other = -1, any = -1;
        int point = start, run = -1;
        for (int seen = 0; seen < ring.PointCount;)
        {
            int at = point, skip = 1 + skips[at];
            point = at + skip < ring.PointCount ? at + skip : at + skip - ring.PointCount;
            seen += skip;
            int owner = ring.OwnerAt(at);
            if (load[owner] >= limit[owner])
            {
                // A silo that is full stays full: the next one who comes here goes over the whole run of them at once.
                if (run < 0) run = at;
                int length = point - run;
                skips[run] = Math.Min((length <= 0 ? length + ring.PointCount : length) - 1, ring.PointCount - 1);
                continue;
            }
            run = -1;
            if (any < 0) any = owner;
            if (owner == previous || owner == after) continue;
            if (other < 0) other = owner;
            double bound = (share[owner] * (shard + 1)) + Math.Max(share[owner] * shards * AheadPercent / 100, SlackShards);
            if (load[owner] + 1 <= bound + 1) return owner;
        }
        int chosen = other >= 0 ? other : any;
        Invariant.Check(chosen >= 0);
        return chosen;
    }
}
