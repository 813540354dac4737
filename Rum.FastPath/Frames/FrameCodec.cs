using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Rum.Core;

namespace Rum.FastPath.Frames;

/// <summary>
/// Completes headers before they go out and judges those that come in. Nothing above reads a field of a received frame before
/// <see cref="Check"/> has passed it; what it promises is listed there. Nothing here allocates.
/// </summary>
public static unsafe class FrameCodec
{
    /// <summary>The largest control message, requests and answers alike.</summary>
    public const int ControlMessageBytesMax = 255 * 1024;

    /// <summary>The most fragments of a message.</summary>
    public const int FragmentsMax = byte.MaxValue;

    /// <summary>The largest payload that the header's 16-bit length can say.</summary>
    public const int PayloadBytesMax = ushort.MaxValue;

    /// <summary>Pages that a segment can have; a page number at or above it is refused.</summary>
    public const ulong PagesMax = (ulong)(Layout.MaxSegmentSize >> Layout.PageShift);

    static FrameCodec()
    {
        Invariant.Check(sizeof(FrameHeader) == FrameHeader.Size);
        Invariant.Check(Marshal.OffsetOf<FrameHeader>(nameof(FrameHeader.Crc)) == 12);
        Invariant.Check(Marshal.OffsetOf<FrameHeader>(nameof(FrameHeader.Incarnation)) == 24);
        Invariant.Check(Marshal.OffsetOf<FrameHeader>(nameof(FrameHeader.Slot)) == 48);
        Invariant.Check(Marshal.OffsetOf<FrameHeader>(nameof(FrameHeader.Shard)) == 96);
        Invariant.Check(Marshal.OffsetOf<FrameHeader>(nameof(FrameHeader.TagLow)) == 112);
        Invariant.Check(BitConverter.IsLittleEndian);
    }

    /// <summary>
    /// Starts a header: everything zero but magic, version, type, granule, one page, one fragment.
    /// </summary>
    public static void Start(FrameHeader* header, FrameType type)
    {
        *header = default;
        header->Magic = FrameHeader.MagicValue;
        header->Version = FrameHeader.CurrentVersion;
        header->Type = type;
        header->Granule = Layout.PageShift;
        header->Count = 1;
        header->FragmentCount = 1;
    }

    /// <summary>Fills in the fields of fragment <paramref name="index"/> of a message and returns its payload bytes.</summary>
    /// <param name="header">The header, started.</param>
    /// <param name="messageLength">Payload bytes of the whole message.</param>
    /// <param name="maxPayload">What the driver carries in one frame.</param>
    /// <param name="index">Which fragment.</param>
    public static int SetFragment(FrameHeader* header, int messageLength, int maxPayload, int index)
    {
        int offset = index * maxPayload;
        int length = Math.Min(maxPayload, messageLength - offset);
        header->FragmentIndex = (byte)index;
        header->FragmentCount = (byte)FragmentsFor(messageLength, maxPayload);
        header->FragmentOffset = (uint)offset;
        header->MessageLength = (uint)messageLength;
        header->Length = (ushort)length;
        return length;
    }

    /// <summary>How many fragments a message takes; 1 for an empty one.</summary>
    public static int FragmentsFor(int messageLength, int maxPayload) =>
        messageLength <= maxPayload ? 1 : (messageLength + maxPayload - 1) / maxPayload;

    /// <summary>Sets the checksum; the last thing done to a header.</summary>
    public static void Seal(FrameHeader* header, byte* payload, bool checksummed) =>
        header->Crc = checksummed ? Checksum((byte*)header, payload, header->Length) : 0;

    /// <summary>CRC32C over the header, with checksum and tag as zeros, and the payload.</summary>
    public static uint Checksum(byte* header, byte* payload, int payloadLength)
    {
        var words = (ulong*)header;
        uint crc = Crc32C.Update(~0u, Unsafe.ReadUnaligned<ulong>(words));
        crc = Crc32C.Update(crc, (ulong)Unsafe.ReadUnaligned<uint>(words + 1));
        crc = Crc32C.Update(crc, header + 16, 112 - 16);
        crc = Crc32C.Update(crc, 0ul);
        crc = Crc32C.Update(crc, 0ul);
        return ~Crc32C.Update(crc, payload, payloadLength);
    }

    /// <summary>
    /// Judges a received frame. When it answers None, then: magic, version, type, granule and encoding are known; payload, fragment and message
    /// lengths agree with each other and with the type; fragment <c>i</c> starts at <c>i</c> times the size of all but the last; the page range is
    /// not empty, within one extent and within the largest segment; the checksum is right where there is one.
    /// </summary>
    public static FrameFault Check(byte* frame, byte* payload, int payloadLength, bool checksummed)
    {
        var header = (FrameHeader*)frame;
        if (header->Magic != FrameHeader.MagicValue) return FrameFault.Magic;
        if (header->Version != FrameHeader.CurrentVersion) return FrameFault.Version;
        if (header->Granule != Layout.PageShift) return FrameFault.Granule;
        if (header->Length != payloadLength) return FrameFault.Length;
        FrameFault fault = CheckType(header);
        if (fault == FrameFault.None) fault = CheckFragment(header);
        if (fault != FrameFault.None) return fault;
        return checksummed && header->Crc != Checksum(frame, payload, payloadLength) ? FrameFault.Checksum : FrameFault.None;
    }

    private static FrameFault CheckType(FrameHeader* header)
    {
        switch (header->Type)
        {
            case FrameType.Read or FrameType.Trim:
                return header->MessageLength != 0 ? FrameFault.Length : CheckRange(header);
            case FrameType.Write:
            case FrameType.ReadAnswer:
                if (header->Encoding > PayloadEncoding.Zero) return FrameFault.Encoding;
                bool image = header->Encoding == PayloadEncoding.Raw && (header->Status == 0 || header->Type == FrameType.Write);
                if (header->MessageLength != (image ? Layout.PageSize : 0)) return FrameFault.Length;
                bool run = header->Type == FrameType.ReadAnswer && header->Encoding == PayloadEncoding.Zero && (header->Flags & FrameFlags.Copy) != 0;
                return header->Count != 1 && !run ? FrameFault.Range : CheckRange(header);
            case FrameType.WriteAnswer or FrameType.TrimAnswer:
                return header->MessageLength != 0 ? FrameFault.Length : CheckRange(header);
            case FrameType.Fence or FrameType.FenceAnswer or FrameType.Hello or FrameType.HelloAnswer:
            case FrameType.ListSegments or FrameType.ListExtents or FrameType.ListPages or FrameType.Sign or FrameType.Cut or FrameType.CutAnswer:
                return header->MessageLength != 0 ? FrameFault.Length : FrameFault.None;
            case FrameType.Control or FrameType.ControlAnswer:
                return header->MessageLength > ControlMessageBytesMax ? FrameFault.Length : FrameFault.None;
            case FrameType.ListSegmentsAnswer or FrameType.ListExtentsAnswer or FrameType.ListPagesAnswer:
                // One frame says all that it says.
                return header->FragmentCount != 1 || header->MessageLength > Layout.PageSize ? FrameFault.Length : FrameFault.None;
            default:
                return FrameFault.Type;
        }
    }

    private static FrameFault CheckRange(FrameHeader* header)
    {
        if (header->Count == 0 || header->Page >= PagesMax) return FrameFault.Range;
        uint inExtent = (uint)header->Page & (Layout.PagesPerExtent - 1);
        return inExtent + header->Count > Layout.PagesPerExtent ? FrameFault.Range : FrameFault.None;
    }

    private static FrameFault CheckFragment(FrameHeader* header)
    {
        uint index = header->FragmentIndex, count = header->FragmentCount, offset = header->FragmentOffset, length = header->Length;
        if (index >= count) return FrameFault.Fragment;
        if (count == 1) return offset == 0 && length == header->MessageLength ? FrameFault.None : FrameFault.Fragment;
        uint each = FragmentSize(header);
        if (length == 0 || each == 0 || offset != index * each) return FrameFault.Fragment;
        bool last = index == count - 1;
        if (last ? length > each || offset + length != header->MessageLength : length != each) return FrameFault.Fragment;
        // The count is the one that this size gives: no room for overlapping or missing ends.
        return (header->MessageLength + each - 1) / each == count ? FrameFault.None : FrameFault.Fragment;
    }

    /// <summary>The size of all fragments of this frame's message but the last.</summary>
    public static uint FragmentSize(FrameHeader* header) =>
        header->FragmentIndex < header->FragmentCount - 1 || header->FragmentIndex == 0
            ? header->Length
            : header->FragmentOffset / header->FragmentIndex;
}
