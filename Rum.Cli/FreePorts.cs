using System.Net;
using System.Net.Sockets;
using Rum.Silo.Configuration;

namespace Rum.Cli;

/// <summary>Ports of the loopback that nobody uses now. All are held until all are found, so that they differ.</summary>
internal static class FreePorts
{
    // Below those that the kernel gives to sockets that ask for any: no client takes one while its silo is about to start.
    private const int First = 10_000, Last = 32_000;

    public static int[] Udp(int count) => Find(count, SocketType.Dgram, ProtocolType.Udp);

    /// <summary>For silos: free for UDP, and for TCP there and where the Orleans plane's gateway stands.</summary>
    public static int[] Silos(int count)
    {
        var found = new List<int>();
        while (found.Count < count)
        {
            foreach (int port in Udp(count))
            {
                if (found.Count < count && !found.Contains(port) && IsFree(port) && IsFree(port + OrleansSettings.GatewayOffset)) found.Add(port);
            }
        }
        return [.. found];
    }

    public static int[] Tcp(int count) => Find(count, SocketType.Stream, ProtocolType.Tcp);

    private static bool IsFree(int port)
    {
        if (port > 65535) return false;
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static int[] Find(int count, SocketType type, ProtocolType protocol)
    {
        var sockets = new List<Socket>();
        try
        {
            while (sockets.Count < count)
            {
                var socket = new Socket(AddressFamily.InterNetwork, type, protocol);
                try
                {
                    socket.Bind(new IPEndPoint(IPAddress.Loopback, Random.Shared.Next(First, Last)));
                    sockets.Add(socket);
                }
                catch (SocketException e) when (e.SocketErrorCode is SocketError.AddressAlreadyInUse)
                {
                    socket.Dispose();
                }
            }
            return [.. sockets.Select(s => ((IPEndPoint)s.LocalEndPoint!).Port)];
        }
        finally
        {
            foreach (Socket socket in sockets) socket.Dispose();
        }
    }
}
