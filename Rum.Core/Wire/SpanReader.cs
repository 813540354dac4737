using System.Buffers.Binary;
using System.Text;

namespace Rum.Core.Wire;

/// <summary>Reads little-endian fields from hostile bytes. Reading past the end sets <see cref="Failed"/> and yields zeros.</summary>
public ref struct SpanReader(ReadOnlySpan<byte> buffer)
{
    private ReadOnlySpan<byte> _rest = buffer;

    /// <summary>Whether a field was missing or wrong. Check once, after the last field and before use.</summary>
    public bool Failed { get; private set; }

    /// <summary>Bytes not read yet.</summary>
    public readonly int Remaining => _rest.Length;

    /// <summary>Reads one byte.</summary>
    public byte U8() => Take(1, out ReadOnlySpan<byte> from) ? from[0] : (byte)0;

    /// <summary>Reads 16 bits.</summary>
    public ushort U16() => Take(2, out ReadOnlySpan<byte> from) ? BinaryPrimitives.ReadUInt16LittleEndian(from) : (ushort)0;

    /// <summary>Reads 32 bits.</summary>
    public uint U32() => Take(4, out ReadOnlySpan<byte> from) ? BinaryPrimitives.ReadUInt32LittleEndian(from) : 0;

    /// <summary>Reads 64 bits.</summary>
    public ulong U64() => Take(8, out ReadOnlySpan<byte> from) ? BinaryPrimitives.ReadUInt64LittleEndian(from) : 0;

    /// <summary>Reads 64 bits, signed.</summary>
    public long I64() => (long)U64();

    /// <summary>Reads 128 bits.</summary>
    public UInt128 U128() => Take(16, out ReadOnlySpan<byte> from) ? BinaryPrimitives.ReadUInt128LittleEndian(from) : UInt128.Zero;

    /// <summary>Reads a number as <see cref="SpanWriter.Var"/> writes it; a longer form of the same number, or more than 64 bits, fails.</summary>
    public ulong Var()
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            byte next = U8();
            if (shift == 63 && next > 1) break;
            value |= (ulong)(next & 0x7F) << shift;
            if (next >= 0x80) continue;
            if (next == 0 && shift > 0) break;
            return value;
        }
        Failed = true;
        return 0;
    }

    /// <summary>Reads the 16 bytes of a GUID.</summary>
    public Guid Guid() => Take(16, out ReadOnlySpan<byte> from) ? new Guid(from) : System.Guid.Empty;

    /// <summary>Reads a truth value; anything but 0 and 1 fails.</summary>
    public bool Bool()
    {
        byte value = U8();
        if (value > 1) Failed = true;
        return value == 1;
    }

    /// <summary>Reads a byte that must not exceed <paramref name="max"/>: an enumeration's.</summary>
    public byte UpTo(byte max)
    {
        byte value = U8();
        if (value <= max) return value;
        Failed = true;
        return 0;
    }

    /// <summary>Reads a length of 16 bits, then that many bytes.</summary>
    public ReadOnlySpan<byte> Bytes() => Take(U16(), out ReadOnlySpan<byte> from) ? from : default;

    /// <summary>Reads so many bytes.</summary>
    public ReadOnlySpan<byte> Raw(int length) => Take(length, out ReadOnlySpan<byte> from) ? from : default;

    /// <summary>Reads a UTF-8 string with a length of 16 bits.</summary>
    public string String() => Encoding.UTF8.GetString(Bytes());

    /// <summary>Reads a count of 32 bits that must not exceed what the rest could hold at <paramref name="bytesEach"/> bytes each.</summary>
    public int Count(int bytesEach)
    {
        uint count = U32();
        if (count > (uint)(_rest.Length / Math.Max(1, bytesEach))) { Failed = true; return 0; }
        return (int)count;
    }

    /// <summary>Marks the input as wrong.</summary>
    public void Fail() => Failed = true;

    private bool Take(int count, out ReadOnlySpan<byte> from)
    {
        if (Failed || count > _rest.Length)
        {
            Failed = true;
            from = default;
            return false;
        }
        from = _rest[..count];
        _rest = _rest[count..];
        return true;
    }
}
