using System.Net;
using System.Net.Sockets;

namespace Rum.Cli;

/// <summary>Ports of the loopback that nobody uses now. All are held until all are found, so that they differ.</summary>
internal static class FreePorts
{
    public static int[] Udp(int count) => Find(count, SocketType.Dgram, ProtocolType.Udp);

    public static int[] Tcp(int count) => Find(count, SocketType.Stream, ProtocolType.Tcp);

    private static int[] Find(int count, SocketType type, ProtocolType protocol)
    {
        var sockets = new List<Socket>();
        try
        {
            for (int i = 0; i < count; i++)
            {
                var socket = new Socket(AddressFamily.InterNetwork, type, protocol);
                sockets.Add(socket);
                socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            }
            return [.. sockets.Select(s => ((IPEndPoint)s.LocalEndPoint!).Port)];
        }
        finally
        {
            foreach (Socket socket in sockets) socket.Dispose();
        }
    }
}
