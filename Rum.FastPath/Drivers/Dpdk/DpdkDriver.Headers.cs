using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Rum.FastPath.Frames;

namespace Rum.FastPath.Drivers.Dpdk;

/// <content>
/// The bytes in front of a frame's own header. Raw: destination, source, EtherType. Encapsulated: the same with IPv4's, then 20 bytes of IPv4 (no options, never
/// fragmented) and 8 of UDP (no checksum: the frame carries its own).
/// </content>
public sealed unsafe partial class DpdkDriver
{
    private const ushort Ipv4Type = 0x0800;
    private const int IpAt = DpdkPort.EthernetHeader, UdpAt = IpAt + 20;
    private const ulong ChecksumsBad = (1UL << 3) | (1UL << 4);

    private readonly bool _encapsulated;
    private ushort _typeOnWire;
    private ushort _identification;

    private void LayTemplate()
    {
        MacAddress.Write(_template + 6, Port.Mac);
        _typeOnWire = BinaryPrimitives.ReverseEndianness(_encapsulated ? Ipv4Type : _options.EtherType);
        *(ushort*)(_template + 12) = _typeOnWire;
        if (!_encapsulated) return;
        byte* ip = _template + IpAt;
        ip[0] = 0x45;
        ip[6] = 0x40; // Don't fragment.
        ip[8] = 64;
        ip[9] = 17;
        *(uint*)(ip + 12) = BinaryPrimitives.ReverseEndianness(_ownAddress);
        *(ushort*)(_template + UdpAt) = BinaryPrimitives.ReverseEndianness((ushort)_options.UdpPort);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void WriteHeaders(byte* at, in TxFrame frame)
    {
        *(ulong*)at = frame.Peer.Low & MacAddress.Broadcast;
        *(ulong*)(at + 6) = *(ulong*)(_template + 6);
        if (_encapsulated) WriteIp(at, frame);
    }

    private void WriteIp(byte* at, in TxFrame frame)
    {
        Unsafe.CopyBlockUnaligned(at + IpAt, _template + IpAt, DpdkPort.IpUdpHeaders);
        uint to = (uint)frame.Peer.High;
        if (_options.Gateway != 0 && to != uint.MaxValue && (to ^ _ownAddress) >> (32 - _options.PrefixLength) != 0) MacAddress.Write(at, _options.Gateway);
        int bytes = FrameHeader.Size + frame.PayloadLength;
        byte* ip = at + IpAt;
        *(ushort*)(ip + 2) = BinaryPrimitives.ReverseEndianness((ushort)(bytes + DpdkPort.IpUdpHeaders));
        *(ushort*)(ip + 4) = BinaryPrimitives.ReverseEndianness(_identification++);
        *(uint*)(ip + 16) = BinaryPrimitives.ReverseEndianness(to);
        *(ushort*)(ip + 10) = (ushort)~Sum(ip);
        ushort port = (ushort)(frame.Peer.High >> 32);
        *(ushort*)(at + UdpAt + 2) = BinaryPrimitives.ReverseEndianness(port == 0 ? (ushort)_options.UdpPort : port);
        *(ushort*)(at + UdpAt + 4) = BinaryPrimitives.ReverseEndianness((ushort)(bytes + 8));
    }

    /// <summary>What a received frame is. Ours: <paramref name="at"/> and <paramref name="length"/> are then those of the frame's own header and what follows.</summary>
    private Verdict Judge(ref byte* at, ref int length, ulong flags, out PeerAddress peer)
    {
        peer = default;
        if (length < DpdkPort.EthernetHeader) return Verdict.Broken;
        ulong to = MacAddress.Read(at), from = MacAddress.Read(at + 6);
        if (*(ushort*)(at + 12) != _typeOnWire || (to != Port.Mac && to != MacAddress.Broadcast)) return Verdict.Foreign;
        // A frame from a group, or from ourselves, was made up.
        if ((from & 1) != 0 || from == Port.Mac) return Verdict.Broken;
        peer = DpdkPeer.From(from);
        byte* start = at;
        at += DpdkPort.EthernetHeader;
        length -= DpdkPort.EthernetHeader;
        if (!_encapsulated) return Verdict.Ours;
        if (length < DpdkPort.IpUdpHeaders || at[0] != 0x45) return Verdict.Foreign;
        ushort port = BinaryPrimitives.ReverseEndianness(*(ushort*)(start + UdpAt + 2));
        uint destination = BinaryPrimitives.ReverseEndianness(*(uint*)(at + 16));
        if (at[9] != 17 || (destination != _ownAddress && destination != uint.MaxValue) || port != _options.UdpPort) return Verdict.Foreign;
        int whole = BinaryPrimitives.ReverseEndianness(*(ushort*)(at + 2));
        bool fragment = (BinaryPrimitives.ReverseEndianness(*(ushort*)(at + 6)) & 0x3FFF) != 0;
        int datagram = BinaryPrimitives.ReverseEndianness(*(ushort*)(start + UdpAt + 4));
        if (fragment || whole > length || datagram != whole - 20 || datagram < 8 || (flags & ChecksumsBad) != 0 || (ushort)~Sum(at) != 0) return Verdict.Broken;
        peer = DpdkPeer.From(from, BinaryPrimitives.ReverseEndianness(*(uint*)(at + 12)), BinaryPrimitives.ReverseEndianness(*(ushort*)(start + UdpAt)));
        at += DpdkPort.IpUdpHeaders;
        // A short frame is padded on the wire.
        length = datagram - 8;
        return Verdict.Ours;
    }

    private static ushort Sum(byte* header)
    {
        uint sum = 0;
        for (int i = 0; i < 10; i++) sum += ((ushort*)header)[i];
        sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)(sum + (sum >> 16));
    }

    private enum Verdict
    {
        Ours,
        Foreign,
        Broken,
    }
}
