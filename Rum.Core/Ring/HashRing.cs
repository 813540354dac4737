using System.Numerics;

namespace Rum.Core.Ring;

/// <summary>
/// A consistent-hash ring with virtual nodes: immutable, totally ordered, and a function of the set of nodes alone, so every silo and client
/// builds the same one, whatever order it learned the nodes in.
/// </summary>
/// <remarks>Source: Karger et al., Consistent hashing and random trees, 1997.</remarks>
public sealed class HashRing
{
    /// <summary>Virtual nodes of the largest silo: this to twice this; of smaller ones in proportion.</summary>
    public const int PointsPerNode = 128;

    private const int PointsMin = 8;

    private readonly ulong[] _points;
    private readonly int[] _owners;
    private readonly RingNode[] _nodes;

    /// <summary>Builds the ring of those nodes that offer capacity. Two nodes with one id are a defect.</summary>
    public HashRing(IEnumerable<RingNode> nodes)
        : this(null, nodes)
    {
    }

    /// <summary>Builds the same ring with less work where <paramref name="before"/> has most of the nodes: only the points of others are sorted.</summary>
    public HashRing(HashRing? before, IEnumerable<RingNode> nodes)
    {
        _nodes = [.. nodes.Where(static node => node.Capacity > 0).OrderBy(static node => node.Silo.Value)];
        for (int i = 1; i < _nodes.Length; i++) Invariant.Check(_nodes[i - 1].Silo != _nodes[i].Silo);

        long reference = Reference(_nodes);
        if (before is not null && Reference(before._nodes) != reference) before = null;
        // Both are ordered by silo, so what stays keeps its order under its new indexes.
        int[] stays = before is null ? [] : new int[before._nodes.Length];
        bool[] known = new bool[_nodes.Length];
        int kept = 0;
        for (int old = 0, owner = 0; old < stays.Length; old++)
        {
            while (owner < _nodes.Length && _nodes[owner].Silo.Value < before!._nodes[old].Silo.Value) owner++;
            bool same = owner < _nodes.Length && _nodes[owner] == before!._nodes[old];
            stays[old] = same ? owner : -1;
            if (!same) continue;
            known[owner] = true;
            kept += Points(_nodes[owner].Capacity, reference);
        }
        var fresh = new List<(ulong Point, int Owner)>();
        for (int owner = 0; owner < _nodes.Length; owner++)
        {
            int points = known[owner] ? 0 : Points(_nodes[owner].Capacity, reference);
            for (int point = 0; point < points; point++) fresh.Add((StableHash.Mix(_nodes[owner].Silo.Value, (ulong)point), owner));
        }
        // Owners break ties, so that the order is total even if two points met.
        fresh.Sort();
        _points = new ulong[kept + fresh.Count];
        _owners = new int[_points.Length];
        int next = 0, to = 0;
        for (int at = 0; at < (before?._points.Length ?? 0); at++)
        {
            int owner = stays[before!._owners[at]];
            if (owner < 0) continue;
            ulong point = before._points[at];
            while (next < fresh.Count && (fresh[next].Point < point || (fresh[next].Point == point && fresh[next].Owner < owner))) Add(fresh[next++]);
            Add((point, owner));
        }
        while (next < fresh.Count) Add(fresh[next++]);

        void Add((ulong Point, int Owner) entry)
        {
            _points[to] = entry.Point;
            _owners[to++] = entry.Owner;
        }
    }

    /// <summary>The nodes that offer capacity, by id.</summary>
    public IReadOnlyList<RingNode> Nodes => _nodes;

    /// <summary>Points on the ring.</summary>
    public int PointCount => _points.Length;

    /// <summary>The silo that owns a hash.</summary>
    public SiloId OwnerOf(ulong hash) => _nodes[OwnerAt(Find(hash))].Silo;

    /// <summary>The first point at or clockwise of <paramref name="hash"/>.</summary>
    internal int Find(ulong hash)
    {
        int found = Array.BinarySearch(_points, hash);
        if (found < 0) found = ~found;
        else while (found > 0 && _points[found - 1] == hash) found--;
        return found == _points.Length ? 0 : found;
    }

    /// <summary>The index in <see cref="Nodes"/> of a point's owner.</summary>
    internal int OwnerAt(int point) => _owners[point];

    // The power of two at or below the largest capacity: a join that doesn't bring a bigger kind of silo renumbers nobody's virtual nodes.
    private static long Reference(RingNode[] nodes)
    {
        long largest = 1;
        foreach (RingNode node in nodes) largest = Math.Max(largest, node.Capacity);
        return 1L << BitOperations.Log2((ulong)largest);
    }

    private static int Points(long capacity, long reference) =>
        Math.Max(PointsMin, (int)((UInt128)(ulong)capacity * PointsPerNode / (ulong)reference));
}
