using System.Buffers.Binary;
using System.Numerics;

namespace Rum.Core.Wire;

/// <summary>CRC32C (Castagnoli), as iSCSI and ext4 use it: what files are checked by.</summary>
public static class Checksum
{
    /// <summary>The sum of bytes, or of bytes behind others whose sum is <paramref name="seed"/>.</summary>
    public static uint Crc(uint seed, ReadOnlySpan<byte> bytes)
    {
        uint crc = ~seed;
        while (bytes.Length >= 8)
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[8..];
        }
        foreach (byte one in bytes) crc = BitOperations.Crc32C(crc, one);
        return ~crc;
    }
}
