using System.Net;
using System.Net.Sockets;
using Rum.FastPath.Drivers;
using Rum.FastPath.Drivers.Udp;
using Rum.Transport.Tests.Conformance;

namespace Rum.Transport.Tests.Udp;

internal sealed class UdpPair : DriverPair
{
    private readonly UdpDriver _client, _server;

    public UdpPair(IPAddress address, int maxPayload = 0)
    {
        var options = new UdpDriverOptions { MaxPayload = maxPayload };
        _server = UdpDriver.Bind(new IPEndPoint(address, 0), options);
        _client = UdpDriver.Toward([_server.LocalEndPoint], options);
    }

    public override IDriver Client => _client;

    public override IDriver Server => _server;

    public override PeerAddress ServerAddress => UdpPeer.From(_server.LocalEndPoint);

    public void Inject(int length)
    {
        using var socket = new Socket(_server.LocalEndPoint.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        socket.SendTo(new byte[length], _server.LocalEndPoint);
    }

    public override void KillServer() => _server.Dispose();

    public override void Dispose()
    {
        _client.Dispose();
        _server.Dispose();
    }
}
