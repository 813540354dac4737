using Rum.FastPath.Drivers.Dpdk;
using Rum.Transport.Tests.Conformance;

namespace Rum.Transport.Tests.Dpdk;

/// <summary>One DPDK in a process: the classes below take turns.</summary>
[CollectionDefinition("dpdk")]
public sealed class DpdkCollection;

public abstract class DpdkConformanceBase : DatagramConformance
{
    protected override void InjectGarbage(DriverPair pair, int length)
    {
        var both = (DpdkPair)pair;
        if (length > both.ClientDriver.Port.Mtu) Assert.Skip($"An MTU of {both.ClientDriver.Port.Mtu} carries no frame of {length} bytes.");
        RawFrames.Send(both.ClientDriver, both.ServerDriver.Port.Mac, DpdkOptions.DefaultEtherType, new byte[length]);
    }
}

[Collection("dpdk")]
public sealed class DpdkVhostConformance : DpdkConformanceBase
{
    protected override DriverPair Create() => DpdkPair.Vhost();
}

[Collection("dpdk")]
public sealed class DpdkVhostBusyConformance : DpdkConformanceBase
{
    protected override DriverPair Create() => DpdkPair.Vhost("--wait busy --copy");
}

[Collection("dpdk")]
public sealed class DpdkVhostQueuesConformance : DpdkConformanceBase
{
    protected override DriverPair Create()
    {
        DpdkPair pair = DpdkPair.Vhost("--queues 2", queues: 2);
        Assert.Equal((2, 2), (pair.ClientDriver.Port.Queues, pair.ServerDriver.Port.Queues));
        return pair;
    }
}

[Collection("dpdk")]
public sealed class DpdkPacketSocketConformance : DpdkConformanceBase
{
    protected override DriverPair Create() => DpdkPair.Kernel(DpdkPair.PacketSocket, 9000);
}

[Collection("dpdk")]
public sealed class DpdkPacketSocketPlainConformance : DpdkConformanceBase
{
    protected override DriverPair Create() => DpdkPair.Kernel(DpdkPair.PacketSocket, 1500);
}

[Collection("dpdk")]
public sealed class DpdkUdpEncapsulationConformance : DriverConformance
{
    protected override DriverPair Create() => DpdkPair.Kernel(DpdkPair.PacketSocket, 9000, "--ip 10.77.0.1/24", "--ip 10.77.0.2/24");
}

[Collection("dpdk")]
public sealed class DpdkXdpConformance : DpdkConformanceBase
{
    protected override DriverPair Create()
    {
        if (Environment.GetEnvironmentVariable("RUM_DPDK_KILLS") is null) Assert.Skip("Not reliable over AF_XDP yet (docs/DPDK.md): make dpdk-soak.");
        return DpdkPair.Kernel(DpdkPair.Xdp, 3000);
    }
}
