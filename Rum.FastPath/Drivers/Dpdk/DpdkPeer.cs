using System.Buffers.Binary;
using System.Net;

namespace Rum.FastPath.Drivers.Dpdk;

/// <summary>
/// A peer on a DPDK port as a <see cref="PeerAddress"/>: Low is its MAC, High its IPv4 address and, shifted left by 32, its UDP port (0 on raw
/// Ethernet). In text, as a silo publishes itself: "aa:bb:cc:dd:ee:ff" or "aa:bb:cc:dd:ee:ff@10.0.0.1:7400".
/// </summary>
public static class DpdkPeer
{
    /// <summary>A peer on raw Ethernet.</summary>
    public static PeerAddress From(ulong mac) => new(0, mac, 0);

    /// <summary>A peer behind IPv4 and UDP.</summary>
    public static PeerAddress From(ulong mac, uint address, ushort port) => new(address | ((ulong)port << 32), mac, 0);

    /// <summary>Reads a published address.</summary>
    public static bool TryParse(string text, out PeerAddress peer)
    {
        peer = default;
        int at = text.IndexOf('@');
        if (!MacAddress.TryParse(at < 0 ? text : text[..at], out ulong mac)) return false;
        peer = From(mac);
        if (at < 0) return true;
        if (!IPEndPoint.TryParse(text.AsSpan(at + 1), out IPEndPoint? point) || !Number(point.Address, out uint address)) return false;
        peer = From(mac, address, (ushort)point.Port);
        return true;
    }

    /// <summary>The published form.</summary>
    public static string Format(PeerAddress peer)
    {
        string mac = MacAddress.Format(peer.Low);
        if (peer.High == 0) return mac;
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)peer.High);
        return $"{mac}@{new IPAddress(bytes)}:{peer.High >> 32}";
    }

    internal static bool Number(IPAddress address, out uint number)
    {
        Span<byte> bytes = stackalloc byte[16];
        number = 0;
        if (!address.TryWriteBytes(bytes, out int length) || length != 4) return false;
        number = BinaryPrimitives.ReadUInt32BigEndian(bytes);
        return true;
    }
}
