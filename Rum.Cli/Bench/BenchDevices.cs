namespace Rum.Cli.Bench;

/// <summary>DPDK's virtual devices of the two ends of a measurement, by the last word of its server's kind: vhost, packet.</summary>
internal static class BenchDevices
{
    private const string Ring = ",blocksz=65536,framesz=8192,framecnt=512,qpairs=1,qdisc_bypass=1";

    /// <summary>The silo's; a socket of it lies in <paramref name="directory"/>.</summary>
    public static string OfSilo(string kind, string directory) => IsVhost(kind)
        ? $"net_vhost0,iface={directory}/v.sock,queues=1"
        : $"net_af_packet0,iface={BenchWire.SiloFace}{Ring}";

    /// <summary>The program's.</summary>
    public static string OfProgram(string kind, string directory) => IsVhost(kind)
        ? $"net_virtio_user0,path={directory}/v.sock,queues=1,queue_size=1024,mrg_rxbuf=1,mac=02:00:00:00:00:01"
        : $"net_af_packet0,iface={BenchWire.ProgramFace}{Ring}";

    private static bool IsVhost(string kind) => kind.EndsWith("vhost", StringComparison.Ordinal);
}
