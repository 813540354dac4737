using System.Net;
using Microsoft.Extensions.Logging;
using Rum.Core.Configuration;
using Rum.FastPath.Drivers.Dpdk;

namespace Rum.Silo.Configuration;

/// <summary>Which drivers a silo offers.</summary>
public enum SiloTransport
{
    /// <summary>UDP, and shared memory for clients on this machine.</summary>
    Auto,

    /// <summary>UDP alone.</summary>
    Udp,

    /// <summary>Shared memory for pages; UDP carries the control plane.</summary>
    SharedMemory,

    /// <summary>DPDK's ports for pages; UDP carries the control plane.</summary>
    Dpdk,
}

/// <summary>The settings of a silo, checked. Immutable.</summary>
public sealed record SiloSettings
{
    /// <summary>Address and port of its UDP socket.</summary>
    public required IPEndPoint Self { get; init; }

    /// <summary>The silos of the machines file, in its order: where the council is looked for. A development silo has itself.</summary>
    public required IReadOnlyList<IPEndPoint> Silos { get; init; }

    /// <summary>The machines file, null for a development silo.</summary>
    public string? MachinesPath { get; init; }

    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Its MAC as the machines file says, empty for none.</summary>
    public string Mac { get; init; } = "";

    /// <summary>Its rack or zone.</summary>
    public string Label { get; init; } = "";

    /// <summary>Bytes offered, whole pages.</summary>
    public long Memory { get; init; } = 1L << 30;

    /// <summary>Drivers offered.</summary>
    public SiloTransport Transport { get; init; }

    /// <summary>Whether clients over shared memory may read pages out of this silo's memory without asking it.</summary>
    public bool DirectReads { get; init; } = true;

    /// <summary>EAL arguments and, behind "--", the driver's own; for <see cref="SiloTransport.Dpdk"/>.</summary>
    public DpdkOptions? Dpdk { get; init; }

    /// <summary>Where its seat of the council is; null: it has none (a development silo's is in memory).</summary>
    public string? DataDirectory { get; init; }

    /// <summary>Where its part of snapshots is kept, null for nowhere.</summary>
    public string? SnapshotDirectory { get; init; }

    /// <summary>How often the leader makes one, zero for never.</summary>
    public TimeSpan SnapshotEvery { get; init; }

    /// <summary>How many of these are kept.</summary>
    public int SnapshotKeep { get; init; } = 3;

    /// <summary>Whether one is made before the silo ends.</summary>
    public bool SnapshotOnStop { get; init; }

    /// <summary>Whether an empty data directory becomes a new cluster.</summary>
    public bool Init { get; init; }

    /// <summary>Address of the HTTP server, null for none.</summary>
    public IPEndPoint? Http { get; init; }

    /// <summary>What readers of the web pages must show, empty for nothing.</summary>
    public string HttpToken { get; init; } = "";

    /// <summary>CPU of the page server's thread, -1 for any.</summary>
    public int Cpu { get; init; } = -1;

    /// <summary>How long a client may be silent.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Without a sign of life for so long a silo counts as silent; the leader's setting counts.</summary>
    public TimeSpan Suspect { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Whether it is a development silo.</summary>
    public bool Dev { get; init; }

    /// <summary>The control plane.</summary>
    public SiloPlane Plane { get; init; }

    /// <summary>What Orleans needs; of no use on the static plane.</summary>
    public OrleansSettings Orleans { get; init; } = new();

    /// <summary>What is logged.</summary>
    public LogLevel LogLevel { get; init; } = LogLevel.Information;

    /// <summary>Whether messages are JSON objects.</summary>
    public bool LogJson { get; init; }

    /// <summary>
    /// Path of the Unix socket for shared memory: /tmp/rum-UID/PORT.sock, in a directory of mode 0700, so that only the same user reaches it.
    /// </summary>
    public string SharedMemoryPath => $"/tmp/rum-{HostIdentity.UserId}/{Self.Port}.sock";

    /// <summary>Whether the shared-memory driver is on.</summary>
    public bool SharedMemory => Transport is SiloTransport.Auto or SiloTransport.SharedMemory;
}
