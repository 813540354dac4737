namespace Rum.Dpdk.Tests;

/// <summary>A kind of virtual wire between a silo and its clients.</summary>
/// <param name="Name">As a test's argument.</param>
/// <param name="Mtu">Of the interfaces, 0 where there are none.</param>
/// <param name="Silo">What is given to the silo: {0} is its interface or the place of its sockets.</param>
/// <param name="Client">What is given to a client.</param>
/// <param name="Bridged">Whether there is a bridge between the interfaces, which can lose frames.</param>
internal sealed record Way(string Name, int Mtu, string Silo, string Client, bool Bridged = false)
{
    private const string Ring = ",blocksz=65536,framesz=8192,framecnt=512,qpairs=1";

    public static readonly Way[] All =
    [
        new("vhost", 0,
            "--no-huge --vdev=net_vhost0,iface={0}/v.sock,queues=1",
            "--no-huge --vdev=net_virtio_user0,path={0}/v.sock,queues=1,queue_size=1024,mrg_rxbuf=1,mac=02:00:00:00:00:01"),
        new("vhost-busy", 0,
            "--no-huge --vdev=net_vhost0,iface={0}/v.sock,queues=1 -- --wait busy",
            "--no-huge --vdev=net_virtio_user0,path={0}/v.sock,queues=1,queue_size=1024,mrg_rxbuf=1,mac=02:00:00:00:00:01 -- --wait busy"),
        Kernel("af_packet-9000", 9000, "net_af_packet0,iface={0}" + Ring + ",qdisc_bypass=1"),
        Kernel("af_packet-1500", 1500, "net_af_packet0,iface={0}" + Ring + ",qdisc_bypass=1"),
        Kernel("af_packet-bridged", 9000, "net_af_packet0,iface={0}" + Ring + ",qdisc_bypass=1") with { Bridged = true },
        Kernel("af_xdp", 3000, "net_af_xdp0,iface={0},start_queue=0,queue_count=1"),
    ];

    public static Way Of(string name) => All.Single(way => way.Name == name);

    private static Way Kernel(string name, int mtu, string device) => new(name, mtu, "--no-huge --vdev=" + device, "--no-huge --vdev=" + device);
}
