using System.Buffers.Binary;
using Rum.Core.Wire;

namespace Rum.Silo.Storage;

/// <summary>The layout of the council's two files, little-endian.</summary>
/// <remarks>
/// <code>
/// header of both, 64 bytes
///   0        8     12         16        32      40            48        52       56    60
///   | magic  | ver | generat. | cluster | decree| body length | body crc| seat   |     | crc |
/// checkpoint: header, then the body (the state as of the header's decree; none: a seat that has learned nothing yet)
/// log:        header (decree: that of its checkpoint, body length 0), then records:
///   0        4            8        16
///   | length | crc        | number | bytes, padded with zeros to a multiple of 8
/// </code>
/// Every checksum is CRC32C; a record's covers its number and bytes, the header's all of the header before it.
/// </remarks>
internal static class StoreFormat
{
    public const int HeaderSize = 64;
    public const int RecordHeaderSize = 16;
    public const int MaxBatch = 16 << 20;
    public const uint Version = 2;

    private const int HeaderCrcAt = 60;

    public static ReadOnlySpan<byte> CheckpointMagic => "RUMCKPT\n"u8;

    public static ReadOnlySpan<byte> LogMagic => "RUMLOG\n\n"u8;

    public static void WriteHeader(Span<byte> to, ReadOnlySpan<byte> magic, in FileIdentity identity, ReadOnlySpan<byte> body)
    {
        to[..HeaderSize].Clear();
        magic.CopyTo(to);
        BinaryPrimitives.WriteUInt32LittleEndian(to[8..], Version);
        BinaryPrimitives.WriteUInt32LittleEndian(to[12..], identity.Generation);
        identity.ClusterId.TryWriteBytes(to[16..]);
        BinaryPrimitives.WriteUInt64LittleEndian(to[32..], identity.Decree);
        BinaryPrimitives.WriteInt64LittleEndian(to[40..], body.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(to[48..], Crc(0, body));
        BinaryPrimitives.WriteUInt64LittleEndian(to[52..], identity.Seat);
        BinaryPrimitives.WriteUInt32LittleEndian(to[HeaderCrcAt..], Crc(0, to[..HeaderCrcAt]));
    }

    /// <summary>Reads a header; a message on failure says what is wrong.</summary>
    public static string? ReadHeader(ReadOnlySpan<byte> file, ReadOnlySpan<byte> magic, out FileIdentity identity, out long bodyLength, out uint bodyCrc)
    {
        identity = default;
        bodyLength = 0;
        bodyCrc = 0;
        if (file.Length < HeaderSize) return $"is {file.Length} bytes long, shorter than its header";
        if (!file[..8].SequenceEqual(magic)) return "is not a file of RUM (its first 8 bytes are foreign)";
        uint version = BinaryPrimitives.ReadUInt32LittleEndian(file[8..]);
        if (BinaryPrimitives.ReadUInt32LittleEndian(file[HeaderCrcAt..]) != Crc(0, file[..HeaderCrcAt])) return "has a damaged header (its checksum is wrong)";
        if (version != Version) return $"has format version {version}; this build reads version {Version}";
        identity = new FileIdentity(
            new Guid(file.Slice(16, 16)),
            BinaryPrimitives.ReadUInt32LittleEndian(file[12..]),
            BinaryPrimitives.ReadUInt64LittleEndian(file[32..]),
            BinaryPrimitives.ReadUInt64LittleEndian(file[52..]));
        bodyLength = BinaryPrimitives.ReadInt64LittleEndian(file[40..]);
        bodyCrc = BinaryPrimitives.ReadUInt32LittleEndian(file[48..]);
        return null;
    }

    public static int RecordSize(int batchLength) => RecordHeaderSize + ((batchLength + 7) & ~7);

    /// <summary>Completes a record whose bytes stand in place behind its header.</summary>
    public static void SealRecord(Span<byte> record, ulong number, int length)
    {
        record[(RecordHeaderSize + length)..RecordSize(length)].Clear();
        BinaryPrimitives.WriteInt32LittleEndian(record, length);
        BinaryPrimitives.WriteUInt64LittleEndian(record[8..], number);
        BinaryPrimitives.WriteUInt32LittleEndian(record[4..], Crc(0, record.Slice(8, 8 + length)));
    }

    /// <summary>Reads the record at the front; false when it isn't whole and right.</summary>
    public static bool TryReadRecord(ReadOnlySpan<byte> from, out ulong number, out ReadOnlySpan<byte> bytes)
    {
        number = 0;
        bytes = default;
        if (from.Length < RecordHeaderSize) return false;
        int length = BinaryPrimitives.ReadInt32LittleEndian(from);
        if (length is < 0 or > MaxBatch || RecordSize(length) > from.Length) return false;
        if (BinaryPrimitives.ReadUInt32LittleEndian(from[4..]) != Crc(0, from.Slice(8, 8 + length))) return false;
        number = BinaryPrimitives.ReadUInt64LittleEndian(from[8..]);
        bytes = from.Slice(RecordHeaderSize, length);
        return true;
    }

    /// <summary>CRC32C.</summary>
    public static uint Crc(uint seed, ReadOnlySpan<byte> bytes) => Checksum.Crc(seed, bytes);
}

/// <summary>Whose file this is: the cluster, its generation, the decree that the file starts from, and the seat.</summary>
internal readonly record struct FileIdentity(Guid ClusterId, uint Generation, ulong Decree, ulong Seat);
