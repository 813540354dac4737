using System.Net;
using System.Net.Sockets;
using Rum.Transport.Tests.Conformance;

namespace Rum.Transport.Tests.Udp;

public abstract class UdpConformanceBase : DatagramConformance
{
    protected override void InjectGarbage(DriverPair pair, int length) => ((UdpPair)pair).Inject(length);
}

public sealed class UdpConformance : UdpConformanceBase
{
    protected override DriverPair Create() => new UdpPair(IPAddress.Loopback);
}

public sealed class UdpSmallFrameConformance : UdpConformanceBase
{
    protected override DriverPair Create() => new UdpPair(IPAddress.Loopback, 1344);
}

public sealed class UdpIPv6Conformance : UdpConformanceBase
{
    protected override DriverPair Create()
    {
        if (!Socket.OSSupportsIPv6) Assert.Skip("This machine has no IPv6.");
        return new UdpPair(IPAddress.IPv6Loopback);
    }
}
