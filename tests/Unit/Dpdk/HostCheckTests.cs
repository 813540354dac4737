using Rum.FastPath.Drivers.Dpdk;

namespace Rum.Unit.Tests.Dpdk;

/// <summary>Placement and checks on machines that are made up in a folder.</summary>
public sealed class HostCheckTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("rum-host-").FullName;

    [Theory]
    [InlineData(0, -1, 3)]
    [InlineData(1, -1, 7)]
    [InlineData(1, 2, 2)]
    [InlineData(-1, -1, -1)]
    [InlineData(5, -1, -1)]
    public void The_poller_is_placed_on_the_ports_node(int node, int wish, int cpu)
    {
        Write("sys/devices/system/node/node0/cpulist", "0-3");
        Write("sys/devices/system/node/node1/cpulist", "4-5,6,7");
        var topology = NumaTopology.Read(_root);
        Assert.Equal(2, topology.Nodes.Count);
        Assert.Equal(cpu, topology.CpuFor(node, wish, [0, 1, 2, 3, 4, 5, 6, 7]));
    }

    [Fact]
    public void A_cpu_that_is_not_allowed_is_not_taken()
    {
        Write("sys/devices/system/node/node0/cpulist", "0-3");
        Write("sys/devices/system/node/node1/cpulist", "4-7");
        var topology = NumaTopology.Read(_root);
        Assert.Equal(5, topology.CpuFor(1, -1, [0, 5]));
        Assert.Equal(-1, topology.CpuFor(1, -1, [0, 1]));
    }

    [Fact]
    public void One_node_places_nothing()
    {
        Write("sys/devices/system/node/node0/cpulist", "0-1");
        Assert.Equal(-1, NumaTopology.Read(_root).CpuFor(0, -1, [0, 1]));
        Assert.Equal(-1, NumaTopology.Read(_root + "/nothing").CpuFor(0, -1, [0, 1]));
    }

    [Fact]
    public void Each_missing_point_has_its_commands()
    {
        Write("sys/bus/pci/devices/0000:3b:00.0/class", "0x020000");
        Write("sys/bus/pci/devices/0000:3b:00.0/numa_node", "1");
        Directory.CreateDirectory(_root + "/sys/bus/pci/devices/0000:3b:00.0/net/ens1");
        File.CreateSymbolicLink(_root + "/sys/bus/pci/devices/0000:3b:00.0/driver", "../../drivers/ice");
        Write("sys/bus/pci/devices/0000:00:01.0/class", "0x010601");
        var check = new HostCheck(_root);
        Assert.Contains("nr_hugepages", string.Join('\n', check.Pages().Fixes));
        Assert.Contains("intel_iommu=on", string.Join('\n', check.Iommu().Fixes));
        Assert.Equal(["modprobe vfio-pci"], check.Vfio().Fixes);
        CheckResult card = Assert.Single(check.Cards());
        Assert.Contains("ice as ens1, NUMA node 1", card.Found);
        Assert.Contains("--bind=vfio-pci 0000:3b:00.0", card.Fixes[0]);
    }

    [Fact]
    public void Nothing_is_asked_for_where_all_is_there()
    {
        Write("sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "1024");
        Write("sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "512");
        Write("proc/mounts", "none /dev/hugepages hugetlbfs rw 0 0\n");
        Directory.CreateDirectory(_root + "/sys/kernel/iommu_groups/0");
        Directory.CreateDirectory(_root + "/sys/bus/pci/drivers/vfio-pci");
        Write("sys/bus/pci/devices/0000:3b:00.0/class", "0x020000");
        File.CreateSymbolicLink(_root + "/sys/bus/pci/devices/0000:3b:00.0/driver", "../../drivers/vfio-pci");
        var check = new HostCheck(_root);
        CheckResult[] all = [check.Pages(), check.Iommu(), check.Vfio(), .. check.Cards()];
        Assert.All(all, result => Assert.Equal((CheckState.Good, 0), (result.State, result.Fixes.Length)));
    }

    [Theory]
    [InlineData("--no-huge --vdev=net_vhost0 -- --wait busy --mtu 1500", DpdkWait.Busy, 1500)]
    [InlineData("-- --wait=adaptive --mtu=9000", DpdkWait.Adaptive, 9000)]
    [InlineData("", DpdkWait.Adaptive, 0)]
    public void Options_stand_behind_the_dashes(string text, DpdkWait wait, int mtu)
    {
        DpdkOptions options = DpdkOptions.Parse(text);
        Assert.Equal((wait, mtu, null), (options.Wait, options.Mtu, options.Trace));
    }

    [Theory]
    [InlineData("-- --wait never")]
    [InlineData("-- --mtu 70000")]
    [InlineData("-- --gateway 1:2")]
    [InlineData("-- --ip ten")]
    [InlineData("-- --ethertype 0x0800")]
    [InlineData("-- --colour red")]
    [InlineData("-- --mtu")]
    [InlineData("-- --trace")]
    public void A_wrong_option_is_named(string text) =>
        Assert.Contains(text.Split(' ')[1], Assert.Throws<DpdkException>(() => DpdkOptions.Parse(text)).Message);

    [Fact]
    public void Arguments_are_completed_and_what_is_said_is_kept()
    {
        string[] huge = EalArguments.Complete(["--vdev=net_vhost0,iface=/tmp/x", "-l", "0"]);
        Assert.Contains("--in-memory", huge);
        Assert.Contains("--no-pci", huge);
        Assert.DoesNotContain("--lcores", huge);
        string[] none = EalArguments.Complete(["--no-huge", "-m", "64"]);
        Assert.DoesNotContain("256", none);
        Assert.DoesNotContain("--in-memory", none);
        Assert.Contains("--no-shconf", none);
    }

    [Theory]
    [InlineData("aa:bb:cc:dd:ee:0f")]
    [InlineData("02:00:00:00:00:01@10.1.2.3:7400")]
    public void Published_addresses_round_trip(string text)
    {
        Assert.True(DpdkPeer.TryParse(text, out Rum.FastPath.Drivers.PeerAddress peer));
        Assert.Equal(text, DpdkPeer.Format(peer));
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private void Write(string path, string text)
    {
        string full = Path.Combine(_root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, text);
    }
}
