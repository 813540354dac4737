using FsCheck;
using FsCheck.Fluent;
using Rum.Core;
using Rum.Core.Ring;

namespace Rum.Tests.Unit.Core;

public sealed class RingTests
{
    private static RingNode[] Equal(int silos) => [.. Enumerable.Range(1, silos).Select(static id => new RingNode(new SiloId((ushort)id), 1L << 40))];

    private static RingNode[] Weighted(int silos, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(1, silos).Select(id => new RingNode(new SiloId((ushort)id), (1L << 30) * random.Next(2, 9)))];
    }

    private static double WorstLoad(RingNode[] nodes, SiloId[] assignment)
    {
        var loads = assignment.GroupBy(static silo => silo).ToDictionary(static group => group.Key, static group => group.Count());
        double total = nodes.Sum(static node => (double)node.Capacity);
        return nodes.Where(static node => node.Capacity > 0)
            .Max(node => loads.GetValueOrDefault(node.Silo) / (assignment.Length * node.Capacity / total));
    }

    private static int Moved(SiloId[] before, SiloId[] after) => before.Where((silo, index) => silo != after[index]).Count();

    [Fact]
    public void Print()
    {
        foreach ((int silos, int shards) in ((int, int)[])[(1, 4096), (2, 4096), (3, 4096), (4, 4096), (8, 4096), (16, 4096), (64, 4096), (1000, 65536)])
        {
            var sw = System.Diagnostics.Stopwatch.StartNew();
            foreach (RingNode[] nodes in (RingNode[][])[Equal(silos), Weighted(silos, 1)])
            {
                SiloId[] before = ShardAssignment.Assign(new HashRing(nodes), shards);
                SiloId[] after = ShardAssignment.Assign(new HashRing([.. nodes, new RingNode(new SiloId(5000), nodes[0].Capacity)]), shards);
                double share = nodes[0].Capacity / (nodes.Sum(n => (double)n.Capacity) + nodes[0].Capacity);
                int same = before.Where((s, i) => s == before[(i + 1) % shards]).Count();
                Console.WriteLine($"{silos} {shards} worst {WorstLoad(nodes, before):0.000} moved {(double)Moved(before, after) / shards:0.0000} ideal {share:0.0000} x{Moved(before, after) / (share * shards):0.00} same {same} {sw.ElapsedMilliseconds} ms");
            }
        }
    }
}
