using System.Net;

namespace Rum.Silo.Configuration;

/// <summary>Who carries the commands of programs.</summary>
public enum SiloPlane
{
    /// <summary>The silos take them to the council.</summary>
    Static,

    /// <summary>Grains do.</summary>
    Orleans,
}

/// <summary>Where Orleans keeps which silos there are.</summary>
public enum OrleansClustering
{
    /// <summary>In the memory of the first silo of the machines file.</summary>
    Development,

    /// <summary>In Redis.</summary>
    Redis,

    /// <summary>In PostgreSQL.</summary>
    AdoNet,
}

/// <summary>What a silo needs on the Orleans plane.</summary>
public sealed record OrleansSettings
{
    /// <summary>The gateway's port, above the silo's own. Silos talk to each other at the TCP port that has the silo's number.</summary>
    public const int GatewayOffset = 40;

    /// <summary>Where it keeps its silos.</summary>
    public OrleansClustering Clustering { get; init; }

    /// <summary>How to reach that.</summary>
    public string Connection { get; init; } = "";

    /// <summary>The dashboard's password; empty: one is drawn.</summary>
    public string DashboardPassword { get; init; } = "";

    /// <summary>Certificate and key for TLS; empty: none.</summary>
    public string TlsCertificate { get; init; } = "";

    /// <summary>Who must have signed the others' certificates; empty: whom the system trusts.</summary>
    public string TlsAuthority { get; init; } = "";

    /// <summary>Whether both ends show certificates.</summary>
    public bool TlsMutual { get; init; }

    /// <summary>Where a silo's gateway for Orleans clients listens.</summary>
    public static IPEndPoint GatewayOf(IPEndPoint silo) => new(silo.Address, silo.Port + GatewayOffset);
}
