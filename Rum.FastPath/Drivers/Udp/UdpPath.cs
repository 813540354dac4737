using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Rum.FastPath.Frames;
using Rum.FastPath.Linux;

namespace Rum.FastPath.Drivers.Udp;

/// <summary>How much payload a frame may carry on a path without being cut up by IP. Set-up only.</summary>
public static unsafe class UdpPath
{
    private const int UdpHeader = 8, Ipv4Header = 20, Ipv6Header = 40;
    private const int EthernetMtu = 1500;

    /// <summary>Payload for an MTU: a whole page where it fits, 1,344 bytes on plain Ethernet with IPv4.</summary>
    public static int MaxPayloadForMtu(int mtu, bool ipv6) => Math.Clamp(
        mtu - (ipv6 ? Ipv6Header : Ipv4Header) - UdpHeader - FrameHeader.Size, UdpDriverOptions.MaxPayloadMin, UdpDriverOptions.MaxPayloadMax);

    /// <summary>Payload towards a peer, by the MTU of the kernel's route to it; plain Ethernet's where there is no route.</summary>
    public static int MaxPayloadToward(IPEndPoint peer)
    {
        bool ipv6 = peer.AddressFamily == AddressFamily.InterNetworkV6;
        using var probe = new FileDescriptor(
            Linux.Sockets.socket(ipv6 ? Linux.Sockets.AF_INET6 : Linux.Sockets.AF_INET, Linux.Sockets.SOCK_DGRAM | Linux.Sockets.SOCK_CLOEXEC, 0),
            nameof(Linux.Sockets.socket));
        byte* name = stackalloc byte[UdpPeer.SocketAddressMax];
        uint length = UdpPeer.WriteSocketAddress(UdpPeer.From(peer), ipv6, name);
        // Connecting a datagram socket sends nothing; it only looks up the route.
        if (Linux.Sockets.connect(probe.Value, name, length) != 0) return MaxPayloadForMtu(EthernetMtu, ipv6);
        int mtu = ipv6
            ? Linux.Sockets.GetOption(probe.Value, Linux.Sockets.IPPROTO_IPV6, Linux.Sockets.IPV6_MTU)
            : Linux.Sockets.GetOption(probe.Value, Linux.Sockets.IPPROTO_IP, Linux.Sockets.IP_MTU);
        return MaxPayloadForMtu(mtu, ipv6);
    }

    /// <summary>Payload towards whoever may reach this local address: by its interface's MTU; for the wildcard the smallest of all but loopback.</summary>
    public static int MaxPayloadFrom(IPAddress local)
    {
        bool ipv6 = local.AddressFamily == AddressFamily.InterNetworkV6;
        if (IPAddress.IsLoopback(local)) return UdpDriverOptions.MaxPayloadMax;
        bool any = local.Equals(IPAddress.Any) || local.Equals(IPAddress.IPv6Any);
        int mtu = EthernetMtu;
        bool found = false;
        foreach (NetworkInterface card in NetworkInterface.GetAllNetworkInterfaces())
        {
            if (card.NetworkInterfaceType == NetworkInterfaceType.Loopback || card.OperationalStatus == OperationalStatus.Down) continue;
            IPInterfaceProperties properties = card.GetIPProperties();
            bool matches = any;
            foreach (UnicastIPAddressInformation address in properties.UnicastAddresses) matches |= address.Address.Equals(local);
            if (!matches || !card.Supports(NetworkInterfaceComponent.IPv4)) continue;
            int its = properties.GetIPv4Properties().Mtu;
            mtu = found ? Math.Min(mtu, its) : its;
            found = true;
        }

        return MaxPayloadForMtu(mtu, ipv6);
    }
}
