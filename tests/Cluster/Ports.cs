using System.Net;
using System.Net.Sockets;

namespace Rum.Cluster.Tests;

/// <summary>Ports of the loopback that are free for UDP and, 80 above, for TCP.</summary>
internal static class Ports
{
    public static int Free()
    {
        while (true)
        {
            using var udp = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            udp.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            int port = ((IPEndPoint)udp.LocalEndPoint!).Port;
            if (port + 80 > 65535) continue;
            using var tcp = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                tcp.Bind(new IPEndPoint(IPAddress.Loopback, port + 80));
                return port;
            }
            catch (SocketException)
            {
                // Somebody has that one: draw again.
            }
        }
    }
}
