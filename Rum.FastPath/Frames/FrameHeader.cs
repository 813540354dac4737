using System.Runtime.InteropServices;
using Rum.Core;

namespace Rum.FastPath.Frames;

/// <summary>
/// The header of every frame on the wire, 128 bytes, little-endian; docs/PROTOCOL.md draws it and a test compares the two.
/// A message (one page, one control request) is cut into <see cref="FragmentCount"/> frames where it exceeds the driver's payload;
/// each fragment repeats the whole header, so that it can be checked on its own.
/// </summary>
/// <remarks>
/// <code>
///   0        2   3   4      6   7   8       10      12              16
///   | magic  |ver|typ| flags|enc|gra|length | count | crc32c        |
///   | generation     | epoch        | incarnation                   |  16
///   | session                       | packet number                 |  32
///   | slot           | counter      | segment                       |  48
///   | page                          | token                         |  64
///   | sequence                      | confirmed                     |  80
///   | shard | status |fi|fc| credit | fragment off. | message length|  96
///   | tag                                                           | 112
/// </code>
/// </remarks>
[StructLayout(LayoutKind.Sequential, Pack = 1, Size = Size)]
public struct FrameHeader
{
    /// <summary>Bytes in a header.</summary>
    public const int Size = 128;

    /// <summary>"RU" in the first two bytes.</summary>
    public const ushort MagicValue = 0x5552;

    /// <summary>The protocol version that this build speaks.</summary>
    public const byte CurrentVersion = 1;

    /// <summary><see cref="MagicValue"/>.</summary>
    public ushort Magic;

    /// <summary><see cref="CurrentVersion"/>. A request of another version is answered with status Incompatible, an answer dropped.</summary>
    public byte Version;

    /// <summary>What the frame asks or answers.</summary>
    public FrameType Type;

    /// <summary>See <see cref="FrameFlags"/>.</summary>
    public FrameFlags Flags;

    /// <summary>How the payload is encoded.</summary>
    public PayloadEncoding Encoding;

    /// <summary>log2 of the bytes that <see cref="Page"/> counts; 12 here.</summary>
    public byte Granule;

    /// <summary>Payload bytes in this frame.</summary>
    public ushort Length;

    /// <summary>Consecutive pages that the request is about; 1 in a page answer.</summary>
    public ushort Count;

    /// <summary>CRC32C of header (this field and the tag as zeros) and payload. 0 and unchecked on drivers that can't corrupt.</summary>
    public uint Crc;

    /// <summary>Which cluster, and which generation of it: <see cref="Core.Council.ClusterView.FrameGeneration"/>. 0: not known yet.</summary>
    public uint Generation;

    /// <summary>The shard epoch that the sender knows.</summary>
    public uint Epoch;

    /// <summary>The silo's incarnation: whom a request is for, who answers.</summary>
    public ulong Incarnation;

    /// <summary>The client's session; 0 before there is one.</summary>
    public ulong Session;

    /// <summary>Per session and direction, never reused (it is the nonce of the tag).</summary>
    public ulong PacketNumber;

    /// <summary>The client's request slot; (session, slot, counter) is the request id.</summary>
    public uint Slot;

    /// <summary>Raised by one at each new request in the slot; a resend keeps it.</summary>
    public uint Counter;

    /// <summary>The segment, 0 for none.</summary>
    public ulong Segment;

    /// <summary>The first page, counted from the segment's start.</summary>
    public ulong Page;

    /// <summary>Write token; with <see cref="Sequence"/> the page version, in requests and answers.</summary>
    public ulong Token;

    /// <summary>Write sequence.</summary>
    public ulong Sequence;

    /// <summary>
    /// The writer's confirmed mark: every write of this token up to it is acknowledged by all replicas, and its predecessors' pages are level. 0 says nothing.
    /// </summary>
    public ulong Confirmed;

    /// <summary>The shard that holds the page.</summary>
    public ushort Shard;

    /// <summary>In answers: a <see cref="PageStatus"/> or, on the control plane, a <see cref="RumError"/>.</summary>
    public ushort Status;

    /// <summary>Which fragment this is, from 0.</summary>
    public byte FragmentIndex;

    /// <summary>Fragments of the message, 1 or more.</summary>
    public byte FragmentCount;

    /// <summary>In answers: how many requests the session may have outstanding at this silo.</summary>
    public ushort Credits;

    /// <summary>Where the fragment's payload stands in the message's.</summary>
    public uint FragmentOffset;

    /// <summary>Payload bytes of the whole message.</summary>
    public uint MessageLength;

    /// <summary>Room for the authentication tag, low half.</summary>
    public ulong TagLow;

    /// <summary>Room for the authentication tag, high half.</summary>
    public ulong TagHigh;

    /// <summary>The version carried by the frame.</summary>
    public readonly PageVersion PageVersion => new(Token, Sequence);
}
