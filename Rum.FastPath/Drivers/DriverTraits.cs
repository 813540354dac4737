namespace Rum.FastPath.Drivers;

/// <summary>What the rooms above must know of a driver.</summary>
/// <param name="Name">"udp", "shm", "sim", "dpdk".</param>
/// <param name="MaxPayload">Payload bytes that fit behind the header in one frame.</param>
/// <param name="Checksummed">Whether frames carry a CRC, because the medium can corrupt them.</param>
/// <param name="Reliable">Whether frames are neither lost nor reordered while the peer lives; resends then start late.</param>
/// <param name="SendCostsSystemCall">Whether a burst of sends is much cheaper than single ones.</param>
/// <param name="UsesLanding">Whether payloads arrive in <see cref="RxFrame.Landing"/>.</param>
/// <param name="SameHost">Whether its peers are surely on this host, so that a page from them is nearer than one from anywhere else.</param>
public sealed record DriverTraits(
    string Name,
    int MaxPayload,
    bool Checksummed,
    bool Reliable,
    bool SendCostsSystemCall,
    bool UsesLanding,
    bool SameHost = false);
