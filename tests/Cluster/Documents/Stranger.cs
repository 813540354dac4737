using System.Net;
using System.Net.Sockets;
using Rum.Core;
using Rum.Core.Council;
using Rum.Core.Council.Codec;
using Rum.FastPath.Drivers.Udp;
using Rum.FastPath.Server;

namespace Rum.Cluster.Tests.Documents;

/// <summary>An end that isn't of this cluster: one that speaks another version of the protocol, or a server whose council answers what nobody asked.</summary>
internal sealed class Stranger : IControlSink, IDisposable
{
    private const int HelloAnswer = 128 + 5;

    private readonly UdpClient? _other;
    private readonly PageServer? _server;
    private readonly PageServerThread? _thread;

    public Stranger(bool ofOtherVersion)
    {
        Address = new IPEndPoint(IPAddress.Loopback, Ports.Free());
        if (ofOtherVersion)
        {
            _other = new UdpClient(Address);
            _ = TellVersionAsync(_other);
            return;
        }
        var pool = new PagePool(new PagePoolOptions { CapacityBytes = 1 << 20, SegmentsMax = 16, ExtentsMax = 16 });
        _server = new PageServer(new Incarnation(9), pool, [UdpDriver.Bind(Address)], this);
        _thread = new PageServerThread(_server, _ => { });
    }

    public IPEndPoint Address { get; }

    /// <summary>The least that any version understands: magic, version, type.</summary>
    public static byte[] Frame(byte version, byte type)
    {
        byte[] frame = new byte[128];
        (frame[0], frame[1], frame[2], frame[3]) = (0x52, 0x55, version, type);
        return frame;
    }

    public bool TryAccept(ControlRequest request)
    {
        byte[] buffer = new byte[256];
        int length = AnswerCodec.Encode(buffer, new CommandAnswer(RumError.None, "", 1, 0, new JoinResult(RumError.None, "", 1, new SiloId(1))));
        return _server!.Answer(request, RumError.None, buffer.AsSpan(0, length));
    }

    public void Dispose()
    {
        _other?.Dispose();
        _thread?.Dispose();
    }

    private static async Task TellVersionAsync(UdpClient socket)
    {
        try
        {
            while (true)
            {
                UdpReceiveResult got = await socket.ReceiveAsync();
                await socket.SendAsync(Frame(2, HelloAnswer), got.RemoteEndPoint);
            }
        }
        catch (Exception e) when (e is ObjectDisposedException or SocketException)
        {
            // It ends with the test.
        }
    }
}
