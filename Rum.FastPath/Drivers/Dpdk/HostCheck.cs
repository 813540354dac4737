namespace Rum.FastPath.Drivers.Dpdk;

/// <summary>How a point of <see cref="HostCheck"/> stands.</summary>
public enum CheckState
{
    /// <summary>As it should be.</summary>
    Good,

    /// <summary>Works, or matters for some kinds of port only.</summary>
    Note,

    /// <summary>DPDK doesn't work until it is fixed.</summary>
    Bad,
}

/// <summary>A point, what was found, and the commands that fix it.</summary>
/// <param name="Point">"huge pages".</param>
/// <param name="State">How it stands.</param>
/// <param name="Found">What was found.</param>
/// <param name="Fixes">Commands, or nothing.</param>
public sealed record CheckResult(string Point, CheckState State, string Found, params string[] Fixes);

/// <summary>
/// Looks at what DPDK needs of a machine: library, huge pages, IOMMU and VFIO, cards and their drivers, NUMA. Reads files below <paramref name="root"/> only, so that a
/// test can make a machine up; the library is the one thing that is really loaded.
/// </summary>
public sealed class HostCheck(string root = "")
{
    private const string EthernetClass = "0x0200";

    /// <summary>All points, in the order in which they are best fixed.</summary>
    public IReadOnlyList<CheckResult> Run() => [Library(), Pages(), Iommu(), Vfio(), .. Cards(), Nodes()];

    /// <summary>The library and its version.</summary>
    public static CheckResult Library()
    {
        try
        {
            DpdkLibrary.Load();
            return new CheckResult("library", CheckState.Good, DpdkLibrary.Version);
        }
        catch (DpdkException e)
        {
            return new CheckResult("library", CheckState.Bad, e.Message, "apt-get install -y libdpdk-dev dpdk", "make");
        }
    }

    /// <summary>Reserved and free huge pages.</summary>
    public CheckResult Pages()
    {
        long small = HugePages.Total(2048, root), big = HugePages.Total(1048576, root), free = HugePages.Free(2048, root) + (512 * HugePages.Free(1048576, root));
        string found = $"{small} of 2 MiB and {big} of 1 GiB are reserved, {free * 2} MiB are free";
        if (small + big == 0)
        {
            return new CheckResult("huge pages", CheckState.Note, found + "; virtual devices work without (--no-huge), cards don't",
                "echo 512 > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "mkdir -p /dev/hugepages && mount -t hugetlbfs none /dev/hugepages");
        }
        if (free == 0) return new CheckResult("huge pages", CheckState.Bad, found, $"echo {small + 512} > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages");
        return Mounts().Contains(" hugetlbfs ", StringComparison.Ordinal)
            ? new CheckResult("huge pages", CheckState.Good, found)
            : new CheckResult("huge pages", CheckState.Note, found + "; no hugetlbfs is mounted, which only --in-memory (RUM's default) does without",
                "mkdir -p /dev/hugepages && mount -t hugetlbfs none /dev/hugepages");
    }

    /// <summary>Whether devices are kept to their own memory.</summary>
    public CheckResult Iommu()
    {
        int groups = Directories("/sys/kernel/iommu_groups").Count;
        return groups > 0
            ? new CheckResult("IOMMU", CheckState.Good, $"{groups} groups")
            : new CheckResult("IOMMU", CheckState.Note, "off; a card can be used without protection only, virtual devices don't need it",
                "add intel_iommu=on iommu=pt (Intel) or iommu=pt (AMD) to the kernel's command line, and switch VT-d or AMD-Vi on in the firmware",
                "without an IOMMU: echo 1 > /sys/module/vfio/parameters/enable_unsafe_noiommu_mode");
    }

    /// <summary>Whether cards can be handed to a process.</summary>
    public CheckResult Vfio() =>
        Directory.Exists(root + "/sys/bus/pci/drivers/vfio-pci")
            ? new CheckResult("VFIO", CheckState.Good, "vfio-pci is loaded")
            : new CheckResult("VFIO", CheckState.Note, "vfio-pci is not loaded; only cards need it (Mellanox cards don't)", "modprobe vfio-pci");

    /// <summary>The network cards, and who drives each.</summary>
    public IReadOnlyList<CheckResult> Cards()
    {
        var results = new List<CheckResult>();
        foreach (string card in Directories("/sys/bus/pci/devices"))
        {
            string path = $"{root}/sys/bus/pci/devices/{card}";
            if (!Read(path + "/class").StartsWith(EthernetClass, StringComparison.Ordinal)) continue;
            string driver = LinkName(path + "/driver"), node = Read(path + "/numa_node");
            string where = node is "" or "-1" ? "" : $", NUMA node {node}";
            IReadOnlyList<string> names = Directories($"/sys/bus/pci/devices/{card}/net");
            string kernel = names.Count == 0 ? "" : $" as {string.Join(", ", names)}";
            results.Add(driver switch
            {
                "vfio-pci" or "igb_uio" or "uio_pci_generic" => new CheckResult($"card {card}", CheckState.Good, $"bound to {driver}{where}"),
                "mlx5_core" or "mlx4_en" => new CheckResult($"card {card}", CheckState.Good, $"{driver}{kernel}{where}; DPDK shares it with the kernel"),
                "" => new CheckResult($"card {card}", CheckState.Note, $"no driver{where}", $"dpdk-devbind.py --bind=vfio-pci {card}"),
                _ => new CheckResult($"card {card}", CheckState.Note, $"the kernel's ({driver}{kernel}{where})",
                    $"if the machine is not reached through it: ip link set {(names.Count > 0 ? names[0] : "IFACE")} down && dpdk-devbind.py --bind=vfio-pci {card}"),
            });
        }
        if (results.Count == 0)
        {
            results.Add(new CheckResult("cards", CheckState.Note, "no PCI Ethernet card; virtual devices can be used",
                "rum silo run ... --transport dpdk --dpdk \"--no-huge --vdev=net_vhost0,iface=/tmp/rum.vhost,queues=1\""));
        }
        return results;
    }

    /// <summary>The NUMA nodes.</summary>
    public CheckResult Nodes()
    {
        var topology = NumaTopology.Read(root);
        return new CheckResult("NUMA", CheckState.Good, topology.Nodes.Count <= 1 ? "one node" : $"{topology.Nodes.Count} nodes; the silo's thread belongs on the card's: --cpu");
    }

    private string Mounts() => Read(root + "/proc/mounts");

    private List<string> Directories(string path)
    {
        try
        {
            // In sysfs a device is a link.
            var names = new List<string>();
            foreach (string entry in Directory.GetFileSystemEntries(root + path)) names.Add(Path.GetFileName(entry));
            names.Sort(StringComparer.Ordinal);
            return names;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static string LinkName(string path)
    {
        try
        {
            return Path.GetFileName(new FileInfo(path).LinkTarget ?? "");
        }
        catch (IOException)
        {
            return "";
        }
    }

    internal static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
