using System.Globalization;

namespace Rum.FastPath.Drivers.Dpdk;

/// <summary>A NUMA node and its CPUs, in order.</summary>
public sealed record NumaNode(int Number, IReadOnlyList<int> Cpus);

/// <summary>Which CPUs are near which memory and which card. Immutable.</summary>
public sealed class NumaTopology
{
    private NumaTopology(IReadOnlyList<NumaNode> nodes) => Nodes = nodes;

    /// <summary>The nodes, in order; none where the kernel says nothing.</summary>
    public IReadOnlyList<NumaNode> Nodes { get; }

    /// <summary>Reads /sys/devices/system/node below <paramref name="root"/>.</summary>
    public static NumaTopology Read(string root = "")
    {
        var nodes = new List<NumaNode>();
        string place = root + "/sys/devices/system/node";
        if (!Directory.Exists(place)) return new NumaTopology(nodes);
        foreach (string path in Directory.GetDirectories(place, "node*"))
        {
            if (!int.TryParse(Path.GetFileName(path).AsSpan(4), NumberStyles.None, CultureInfo.InvariantCulture, out int number)) continue;
            nodes.Add(new NumaNode(number, ParseList(HostCheck.Read(path + "/cpulist"))));
        }
        nodes.Sort(static (a, b) => a.Number.CompareTo(b.Number));
        return new NumaTopology(nodes);
    }

    /// <summary>
    /// The CPU for the thread that polls a port of a node: the wished one where there is a wish, else the last allowed one of the node (the first ones get the
    /// system's interrupts), -1 (any) where the port has no node or no CPU of it is allowed.
    /// </summary>
    public int CpuFor(int node, int wish, IReadOnlyList<int> allowed)
    {
        if (wish >= 0) return wish;
        // One node: everything is near.
        if (node < 0 || Nodes.Count < 2) return -1;
        foreach (NumaNode its in Nodes)
        {
            if (its.Number != node) continue;
            for (int i = its.Cpus.Count - 1; i >= 0; i--)
                if (allowed.Contains(its.Cpus[i])) return its.Cpus[i];
        }
        return -1;
    }

    /// <summary>Reads "0-3,8,10-11".</summary>
    internal static IReadOnlyList<int> ParseList(string text)
    {
        var cpus = new List<int>();
        foreach (string part in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            int dash = part.IndexOf('-');
            bool good = int.TryParse(dash < 0 ? part : part[..dash], NumberStyles.None, CultureInfo.InvariantCulture, out int first);
            int last = first;
            if (dash >= 0) good &= int.TryParse(part[(dash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out last);
            for (int cpu = first; good && cpu <= last; cpu++) cpus.Add(cpu);
        }
        return cpus;
    }
}
