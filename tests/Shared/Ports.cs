using System.Net;
using System.Net.Sockets;

namespace Rum.Tests;

/// <summary>
/// Ports of the loopback that are free for UDP and TCP and, 40 and 80 above, for TCP. They lie below those that the kernel gives to sockets that ask for any, so that
/// no client takes one while its silo is about to start, or between two lives of it; and a name held until the process ends keeps them from the
/// other test processes.
/// </summary>
internal static class Ports
{
    private const int First = 10_000, Last = 32_000, GatewayAbove = 40, HttpAbove = 80;

    private static readonly List<Socket> s_held = [];

    public static int Free()
    {
        lock (s_held)
        {
            while (true)
            {
                int port = Random.Shared.Next(First, Last);
                var name = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
                try
                {
                    // A name without a file: it ends with the process, however that ends.
                    name.Bind(new UnixDomainSocketEndPoint($"\0rum-test-port-{port}"));
                    Try(SocketType.Dgram, ProtocolType.Udp, port);
                    Try(SocketType.Stream, ProtocolType.Tcp, port);
                    Try(SocketType.Stream, ProtocolType.Tcp, port + GatewayAbove);
                    Try(SocketType.Stream, ProtocolType.Tcp, port + HttpAbove);
                }
                catch (SocketException)
                {
                    // Somebody has one of them: draw again.
                    name.Dispose();
                    continue;
                }
                s_held.Add(name);
                return port;
            }
        }
    }

    private static void Try(SocketType type, ProtocolType protocol, int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, type, protocol);
        socket.Bind(new IPEndPoint(IPAddress.Any, port));
    }
}
