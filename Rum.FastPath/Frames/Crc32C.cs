using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Rum.FastPath.Frames;

/// <summary>
/// CRC32C (Castagnoli, RFC 3720 appendix B.4). With SSE4.2 three stripes run interleaved, because the instruction takes three cycles but
/// one can start in each; their sums are joined by tables that advance a CRC over a stripe of zeros. Without it: eight tables.
/// </summary>
public static unsafe class Crc32C
{
    private const uint Polynomial = 0x82F63B78;

    // Three stripes make 1,344 bytes: what a 1,500-byte frame carries, and a page is three times that and 64 bytes.
    private const int StripeBytes = 448;

    private static readonly uint[] Slices = MakeSlices();
    private static readonly uint[] OneStripe = MakeShift(StripeBytes);
    private static readonly uint[] TwoStripes = MakeShift(2 * StripeBytes);

    /// <summary>The CRC of a block, from the usual start.</summary>
    public static uint Compute(byte* data, int length) => ~Update(~0u, data, length);

    /// <summary>Advances a raw (not inverted) CRC over a block.</summary>
    public static uint Update(uint crc, byte* data, int length) =>
        Sse42.X64.IsSupported ? UpdateHardware(crc, data, length) : UpdateSoftware(crc, data, length);

    /// <summary>Advances a raw CRC over eight bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Update(uint crc, ulong word) =>
        Sse42.X64.IsSupported ? (uint)Sse42.X64.Crc32(crc, word) : UpdateSoftware(crc, (byte*)&word, sizeof(ulong));

    /// <summary>The portable way; public so that a test can hold it against the other.</summary>
    public static uint UpdateSoftware(uint crc, byte* data, int length)
    {
        fixed (uint* t = Slices)
        {
            for (; length >= 8; data += 8, length -= 8)
            {
                uint low = Unsafe.ReadUnaligned<uint>(data) ^ crc;
                uint high = Unsafe.ReadUnaligned<uint>(data + 4);
                crc = t[(7 * 256) + (low & 255)] ^ t[(6 * 256) + ((low >> 8) & 255)]
                    ^ t[(5 * 256) + ((low >> 16) & 255)] ^ t[(4 * 256) + (low >> 24)]
                    ^ t[(3 * 256) + (high & 255)] ^ t[(2 * 256) + ((high >> 8) & 255)]
                    ^ t[256 + ((high >> 16) & 255)] ^ t[high >> 24];
            }
            for (; length > 0; data++, length--) crc = t[(crc ^ *data) & 255] ^ (crc >> 8);
        }
        return crc;
    }

    private static uint UpdateHardware(uint crc, byte* data, int length)
    {
        ulong first = crc;
        for (; length >= 3 * StripeBytes; data += 3 * StripeBytes, length -= 3 * StripeBytes)
        {
            ulong second = 0, third = 0;
            for (int i = 0; i < StripeBytes; i += 8)
            {
                first = Sse42.X64.Crc32(first, Unsafe.ReadUnaligned<ulong>(data + i));
                second = Sse42.X64.Crc32(second, Unsafe.ReadUnaligned<ulong>(data + i + StripeBytes));
                third = Sse42.X64.Crc32(third, Unsafe.ReadUnaligned<ulong>(data + i + (2 * StripeBytes)));
            }
            first = Shift(TwoStripes, (uint)first) ^ Shift(OneStripe, (uint)second) ^ (uint)third;
        }
        for (; length >= 8; data += 8, length -= 8) first = Sse42.X64.Crc32(first, Unsafe.ReadUnaligned<ulong>(data));
        for (; length > 0; data++, length--) first = Sse42.Crc32((uint)first, *data);
        return (uint)first;
    }

    private static uint Shift(uint[] table, uint crc) =>
        table[crc & 255] ^ table[256 + ((crc >> 8) & 255)] ^ table[512 + ((crc >> 16) & 255)] ^ table[768 + (crc >> 24)];

    private static uint[] MakeSlices()
    {
        var table = new uint[8 * 256];
        for (uint i = 0; i < 256; i++)
        {
            uint crc = i;
            for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) != 0 ? Polynomial : 0);
            table[i] = crc;
        }
        for (int i = 256; i < table.Length; i++) table[i] = table[table[i - 256] & 255] ^ (table[i - 256] >> 8);
        return table;
    }

    // The CRC is linear: what a byte of it becomes after a stripe of zeros is the sum of what its bits become.
    private static uint[] MakeShift(int bytes)
    {
        var table = new uint[4 * 256];
        for (int position = 0; position < 4; position++)
        {
            for (uint value = 0; value < 256; value++)
            {
                uint crc = value << (8 * position);
                for (int i = 0; i < bytes; i++) crc = Slices[crc & 255] ^ (crc >> 8);
                table[(position * 256) + (int)value] = crc;
            }
        }
        return table;
    }
}
