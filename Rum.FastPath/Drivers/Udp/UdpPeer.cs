using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Rum.FastPath.Linux;

namespace Rum.FastPath.Drivers.Udp;

/// <summary>
/// A UDP peer as a <see cref="PeerAddress"/>. One form for both families, so that a peer compares equal whichever socket it was met on:
/// High and Low are the IPv6 address (an IPv4 one mapped to ::ffff:a.b.c.d) in network order; Extra is port | scope id shifted left by 16.
/// </summary>
public static unsafe class UdpPeer
{
    /// <summary>Bytes for a socket address of either family.</summary>
    public const int SocketAddressMax = 28;

    private const ulong MappedPrefix = 0xFFFF_0000_0000;

    /// <summary>The peer at an end point. Scope ids above 65,535 don't fit and are refused.</summary>
    public static PeerAddress From(IPEndPoint endPoint)
    {
        Span<byte> bytes = stackalloc byte[16];
        endPoint.Address.TryWriteBytes(bytes, out int written);
        uint port = (uint)endPoint.Port;
        if (written == 4) return new PeerAddress(0, MappedPrefix | BinaryPrimitives.ReadUInt32BigEndian(bytes), port);
        long scope = endPoint.Address.IsIPv6LinkLocal ? endPoint.Address.ScopeId : 0;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(scope, ushort.MaxValue, nameof(endPoint));
        return new PeerAddress(
            BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]), port | (uint)scope << 16);
    }

    /// <summary>The end point of a peer.</summary>
    public static IPEndPoint ToEndPoint(PeerAddress peer)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, peer.High);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], peer.Low);
        IPAddress address = IsIPv4(peer) ? new IPAddress(bytes[12..]) : new IPAddress(bytes, peer.Extra >> 16);
        return new IPEndPoint(address, (int)(peer.Extra & 0xFFFF));
    }

    /// <summary>Whether the peer has an IPv4 address.</summary>
    public static bool IsIPv4(PeerAddress peer) => peer.High == 0 && peer.Low >> 32 == 0xFFFF;

    /// <summary>Writes the peer as a socket address for a socket of the given family and returns its length; 0: not reachable from that family.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static uint WriteSocketAddress(PeerAddress peer, bool ipv6Socket, byte* to)
    {
        ushort port = BinaryPrimitives.ReverseEndianness((ushort)peer.Extra);
        if (ipv6Socket)
        {
            var name = (sockaddr_in6*)to;
            name->sin6_family = Sockets.AF_INET6;
            name->sin6_port = port;
            name->sin6_flowinfo = 0;
            *(ulong*)name->sin6_addr = BinaryPrimitives.ReverseEndianness(peer.High);
            *(ulong*)(name->sin6_addr + 8) = BinaryPrimitives.ReverseEndianness(peer.Low);
            name->sin6_scope_id = peer.Extra >> 16;
            return (uint)sizeof(sockaddr_in6);
        }

        if (!IsIPv4(peer)) return 0;
        var name4 = (sockaddr_in*)to;
        name4->sin_family = Sockets.AF_INET;
        name4->sin_port = port;
        name4->sin_addr = BinaryPrimitives.ReverseEndianness((uint)peer.Low);
        *(ulong*)name4->sin_zero = 0;
        return (uint)sizeof(sockaddr_in);
    }

    /// <summary>Reads the peer from a socket address that the kernel wrote.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static PeerAddress ReadSocketAddress(byte* from)
    {
        if (*(ushort*)from == Sockets.AF_INET)
        {
            var name4 = (sockaddr_in*)from;
            return new PeerAddress(
                0, MappedPrefix | BinaryPrimitives.ReverseEndianness(name4->sin_addr), BinaryPrimitives.ReverseEndianness(name4->sin_port));
        }

        var name = (sockaddr_in6*)from;
        return new PeerAddress(
            BinaryPrimitives.ReverseEndianness(*(ulong*)name->sin6_addr),
            BinaryPrimitives.ReverseEndianness(*(ulong*)(name->sin6_addr + 8)),
            BinaryPrimitives.ReverseEndianness(name->sin6_port) | name->sin6_scope_id << 16);
    }

    /// <summary>The address family constant of the C library.</summary>
    internal static int FamilyOf(IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetworkV6 ? Sockets.AF_INET6 : Sockets.AF_INET;
}
