using System.Buffers.Binary;
using Rum.Core.Council;
using Rum.Core.Wire;

namespace Rum.Core.Snapshots;

/// <summary>
/// One silo's file of a snapshot, as bytes; docs/SNAPSHOTS.md draws it. Everything begins at a multiple of 4,096 bytes and has a checksum of its own, so that behind damage the next block is
/// found again and only what is damaged is lost. Readers believe nothing.
/// </summary>
/// <remarks>
/// <code>
/// header   0: |magic "RUMSNAP\n"|version|body length|crc of the body|crc of the 20 bytes before|  24: body, padded to 4,096
/// block    0: |magic|page count|0|crc of the page (both sums as zeros)|crc of the images|  16: |snapshot|segment|  32: |extent|shard|last|index|0  64: page numbers, 2 bytes each
///       4096: the images, 4,096 bytes each
/// footer   0: |magic|body length|crc of the body|crc of the 12 bytes before|  16: body, padded to 4,096
/// </code>
/// </remarks>
public static class SnapshotFormat
{
    /// <summary>What everything in a file is aligned to.</summary>
    public const int Block = Layout.PageSize;

    /// <summary>The most pages in a block.</summary>
    public const int PagesPerBlock = 64;

    /// <summary>The version that this build writes and reads.</summary>
    public const uint Version = 1;

    /// <summary>No header or footer is longer.</summary>
    public const int BodyBytesMax = 256 << 20;

    private const int HeaderFront = 24, FooterFront = 16;
    private const uint BlockMagic = 0x4B425352, FooterMagic = 0x4E455352; // "RSBK", "RSEN"

    private static ReadOnlySpan<byte> HeaderMagic => "RUMSNAP\n"u8;

    /// <summary>The header of a file, padded.</summary>
    public static byte[] WriteHeader(SnapshotHeader header)
    {
        byte[] body = Grow((ref SpanWriter to) => header.Write(ref to));
        byte[] bytes = new byte[Padded(HeaderFront + body.Length)];
        HeaderMagic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), Version);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(12), body.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(16), Checksum.Crc(0, body));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(20), Checksum.Crc(0, bytes.AsSpan(0, 20)));
        body.CopyTo(bytes, HeaderFront);
        return bytes;
    }

    /// <summary>The padded length of a header that begins with these bytes (a block of them), or 0 and what is wrong.</summary>
    public static int HeaderLength(ReadOnlySpan<byte> front, out string wrong)
    {
        wrong = "";
        if (front.Length < HeaderFront) wrong = "is shorter than a snapshot's header";
        else if (!front[..8].SequenceEqual(HeaderMagic)) wrong = "is no snapshot file of RUM (its first 8 bytes are foreign)";
        else if (BinaryPrimitives.ReadUInt32LittleEndian(front[20..]) != Checksum.Crc(0, front[..20])) wrong = "has a damaged header (its checksum is wrong)";
        else if (BinaryPrimitives.ReadUInt32LittleEndian(front[8..]) is var version && version != Version) wrong = $"has format version {version}; this build reads version {Version}";
        else if (BinaryPrimitives.ReadInt32LittleEndian(front[12..]) is < 0 or > BodyBytesMax) wrong = "has a damaged header (its length is wrong)";
        return wrong.Length > 0 ? 0 : Padded(HeaderFront + BinaryPrimitives.ReadInt32LittleEndian(front[12..]));
    }

    /// <summary>Reads a header of <see cref="HeaderLength"/> bytes; null and what is wrong.</summary>
    public static SnapshotHeader? ReadHeader(ReadOnlySpan<byte> bytes, out string wrong)
    {
        int length = HeaderLength(bytes, out wrong);
        if (length == 0) return null;
        wrong = "has a damaged header (its checksum is wrong)";
        if (length > bytes.Length) return null;
        ReadOnlySpan<byte> body = bytes.Slice(HeaderFront, BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]));
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[16..]) != Checksum.Crc(0, body)) return null;
        var from = new SpanReader(body);
        SnapshotHeader header = SnapshotHeader.Read(ref from);
        if (from.Failed || from.Remaining != 0) return null;
        wrong = "";
        return header;
    }

    /// <summary>Completes a block whose images stand in place behind its page; returns its length.</summary>
    public static int SealBlock(Span<byte> block, in SnapshotBlock about, ReadOnlySpan<ushort> pages)
    {
        Invariant.Check(pages.Length is > 0 and <= PagesPerBlock);
        block[..Block].Clear();
        int length = Block + (pages.Length * Layout.PageSize);
        BinaryPrimitives.WriteUInt32LittleEndian(block, BlockMagic);
        BinaryPrimitives.WriteUInt16LittleEndian(block[4..], (ushort)pages.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(block[16..], about.Snapshot);
        BinaryPrimitives.WriteUInt64LittleEndian(block[24..], about.Segment.Value);
        BinaryPrimitives.WriteUInt32LittleEndian(block[32..], about.Extent);
        BinaryPrimitives.WriteUInt16LittleEndian(block[36..], about.Shard.Value);
        BinaryPrimitives.WriteUInt32LittleEndian(block[40..], about.Index);
        for (int i = 0; i < pages.Length; i++) BinaryPrimitives.WriteUInt16LittleEndian(block[(64 + (2 * i))..], pages[i]);
        uint images = Checksum.Crc(0, block[Block..length]);
        uint page = Checksum.Crc(0, block[..Block]);
        BinaryPrimitives.WriteUInt32LittleEndian(block[8..], page);
        BinaryPrimitives.WriteUInt32LittleEndian(block[12..], images);
        return length;
    }

    /// <summary>Reads a block's first page; false when it is none or damaged.</summary>
    public static bool TryReadBlock(ReadOnlySpan<byte> page, out SnapshotBlock about, Span<ushort> pages)
    {
        about = default;
        if (page.Length < Block || BinaryPrimitives.ReadUInt32LittleEndian(page) != BlockMagic) return false;
        int count = BinaryPrimitives.ReadUInt16LittleEndian(page[4..]);
        if (count is 0 or > PagesPerBlock) return false;
        Span<byte> copy = stackalloc byte[16];
        page[..8].CopyTo(copy);
        copy[8..].Clear();
        if (BinaryPrimitives.ReadUInt32LittleEndian(page[8..]) != Checksum.Crc(Checksum.Crc(0, copy), page[16..Block])) return false;
        int last = -1;
        for (int i = 0; i < count; i++)
        {
            pages[i] = BinaryPrimitives.ReadUInt16LittleEndian(page[(64 + (2 * i))..]);
            if (pages[i] <= last || pages[i] >= Layout.PagesPerExtent) return false;
            last = pages[i];
        }
        about = new SnapshotBlock(
            BinaryPrimitives.ReadUInt64LittleEndian(page[16..]), new SegmentId(BinaryPrimitives.ReadUInt64LittleEndian(page[24..])),
            BinaryPrimitives.ReadUInt32LittleEndian(page[32..]), new ShardId(BinaryPrimitives.ReadUInt16LittleEndian(page[36..])),
            BinaryPrimitives.ReadUInt32LittleEndian(page[40..]))
        { Count = count, ImagesCrc = BinaryPrimitives.ReadUInt32LittleEndian(page[12..]) };
        return true;
    }

    /// <summary>Whether a page begins a footer.</summary>
    public static bool IsFooter(ReadOnlySpan<byte> page) => page.Length >= FooterFront && BinaryPrimitives.ReadUInt32LittleEndian(page) == FooterMagic
        && BinaryPrimitives.ReadUInt32LittleEndian(page[12..]) == Checksum.Crc(0, page[..12]) && BinaryPrimitives.ReadInt32LittleEndian(page[4..]) is >= 0 and <= BodyBytesMax;

    /// <summary>The footer of a file, padded.</summary>
    public static byte[] WriteFooter(ulong snapshot, IReadOnlyList<SnapshotExtent> extents)
    {
        byte[] body = Grow((ref SpanWriter to) =>
        {
            to.U64(snapshot);
            to.U32((uint)extents.Count);
            foreach (SnapshotExtent extent in extents)
            {
                to.U64(extent.Segment.Value);
                to.U32(extent.Extent);
                to.U32(extent.Blocks);
            }
        });
        byte[] bytes = new byte[Padded(FooterFront + body.Length)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, FooterMagic);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), body.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), Checksum.Crc(0, body));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(12), Checksum.Crc(0, bytes.AsSpan(0, 12)));
        body.CopyTo(bytes, FooterFront);
        return bytes;
    }

    /// <summary>Reads a footer; null when it is damaged, cut off or of another snapshot.</summary>
    public static SnapshotExtent[]? ReadFooter(ReadOnlySpan<byte> bytes, ulong snapshot)
    {
        if (!IsFooter(bytes)) return null;
        int length = BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]);
        if (length > bytes.Length - FooterFront) return null;
        ReadOnlySpan<byte> body = bytes.Slice(FooterFront, length);
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]) != Checksum.Crc(0, body)) return null;
        var from = new SpanReader(body);
        if (from.U64() != snapshot) return null;
        var extents = new SnapshotExtent[from.Count(16)];
        for (int i = 0; i < extents.Length; i++) extents[i] = new SnapshotExtent(new SegmentId(from.U64()), from.U32(), from.U32());
        return from.Failed || from.Remaining != 0 ? null : extents;
    }

    private delegate void Writing(ref SpanWriter to);

    private static int Padded(int length) => (length + Block - 1) / Block * Block;

    private static byte[] Grow(Writing write)
    {
        for (int size = 1 << 14; ; size = checked(size * 2))
        {
            byte[] buffer = new byte[size];
            var to = new SpanWriter(buffer);
            write(ref to);
            if (!to.Overflowed) return buffer[..to.Length];
        }
    }
}

/// <summary>A block of pages of one extent.</summary>
/// <param name="Snapshot">The snapshot.</param>
/// <param name="Segment">The segment, as it was numbered then.</param>
/// <param name="Extent">The extent.</param>
/// <param name="Shard">The extent's shard.</param>
/// <param name="Index">Which block of the extent, from 0.</param>
public readonly record struct SnapshotBlock(ulong Snapshot, SegmentId Segment, uint Extent, ShardId Shard, uint Index)
{
    /// <summary>Pages in it.</summary>
    public int Count { get; init; }

    /// <summary>The checksum of their images.</summary>
    public uint ImagesCrc { get; init; }
}

/// <summary>An extent in a file, and in how many blocks it is. Extents that aren't there are zeros.</summary>
public readonly record struct SnapshotExtent(SegmentId Segment, uint Extent, uint Blocks);
