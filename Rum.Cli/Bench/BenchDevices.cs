namespace Rum.Cli.Bench;

/// <summary>DPDK's virtual devices of the two ends of a measurement, by the last word of its server's kind: vhost, packet.</summary>
internal static class BenchDevices
{
    private const string Ring = ",blocksz=65536,framesz=8192,framecnt=512,qpairs=1,qdisc_bypass=1";

    /// <summary>Ports of a silo of eight.</summary>
    public const int Ports = 8;

    /// <summary>The silo's; a socket of it lies in <paramref name="directory"/>.</summary>
    public static string OfSilo(string kind, string directory, int port = 0) => IsVhost(kind)
        ? $"net_vhost{port},iface={directory}/v{port}.sock,queues=1"
        : $"net_af_packet{port},iface={BenchWire.SiloFace}{Ring}";

    /// <summary>All of a silo's, as EAL arguments.</summary>
    public static string AllOfSilo(string kind, string directory) =>
        "--no-huge -m 768" + string.Concat(Enumerable.Range(0, kind.Contains("eight", StringComparison.Ordinal) ? Ports : 1).Select(port => " --vdev=" + OfSilo(kind, directory, port)));

    /// <summary>The program's.</summary>
    public static string OfProgram(string kind, string directory, int port = 0) => IsVhost(kind)
        ? $"net_virtio_user0,path={directory}/v{port}.sock,queues=1,queue_size=1024,mrg_rxbuf=1,mac=02:00:00:00:00:0{port + 1}"
        : $"net_af_packet0,iface={BenchWire.ProgramFace}{Ring}";

    /// <summary>The driver's own argument for an end that is traced into this file.</summary>
    public static string TraceOf(string kind, string file) => kind.Contains("traced", StringComparison.Ordinal) ? " -- --trace " + file : "";

    private static bool IsVhost(string kind) => kind.EndsWith("vhost", StringComparison.Ordinal);
}
