namespace Rum;

/// <summary>How pages travel.</summary>
public enum RumTransport
{
    /// <summary>Shared memory to a silo on this machine, else UDP.</summary>
    Auto = 1,

    /// <summary>Shared memory; connecting fails where it can't be had.</summary>
    SharedMemory = 2,

    /// <summary>UDP.</summary>
    Udp = 3,

    /// <summary>DPDK, with <see cref="RumClientOptions.Dpdk"/>.</summary>
    Dpdk = 4,
}
