using System.Net;
using Rum.FastPath.Client;
using Rum.FastPath.Drivers.Udp;

namespace Rum.Silo.Council;

/// <summary>How a council member's messages reach the others: control frames to their silos, from a socket of its own. The council's thread only.</summary>
public sealed class CouncilLink(string own) : IDisposable
{
    private readonly Dictionary<string, IPEndPoint> _peers = [];
    private ControlSender? _sender;

    /// <summary>ip:port of this silo: where answers go.</summary>
    public string Own => own;

    /// <summary>Sends a message to the silo at an ip:port. It may be lost.</summary>
    public void Send(string to, ReadOnlySpan<byte> message)
    {
        if (!_peers.TryGetValue(to, out IPEndPoint? peer))
        {
            if (!IPEndPoint.TryParse(to, out peer)) return;
            _peers[to] = peer;
            // Another peer, perhaps another route: the payload is that of the narrowest.
            _sender?.Dispose();
            _sender = null;
        }
        try
        {
            _sender ??= new ControlSender(UdpDriver.Toward([.. _peers.Values]));
        }
        catch (IOException)
        {
            return; // no route at the moment: lost, as any message may be
        }
        _sender.Send(UdpPeer.From(peer), message);
    }

    /// <inheritdoc/>
    public void Dispose() => _sender?.Dispose();
}
