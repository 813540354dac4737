using System.Buffers.Binary;
using System.Text;

namespace Rum.Core.Wire;

/// <summary>Writes little-endian fields into a caller's buffer. Writing past the end sets <see cref="Overflowed"/> and writes nothing.</summary>
public ref struct SpanWriter(Span<byte> buffer)
{
    private readonly Span<byte> _buffer = buffer;

    /// <summary>Bytes written.</summary>
    public int Length { get; private set; }

    /// <summary>Whether a field did not fit.</summary>
    public bool Overflowed { get; private set; }

    /// <summary>Writes one byte.</summary>
    public void U8(byte value) { if (Take(1, out Span<byte> to)) to[0] = value; }

    /// <summary>Writes 16 bits.</summary>
    public void U16(ushort value) { if (Take(2, out Span<byte> to)) BinaryPrimitives.WriteUInt16LittleEndian(to, value); }

    /// <summary>Writes 32 bits.</summary>
    public void U32(uint value) { if (Take(4, out Span<byte> to)) BinaryPrimitives.WriteUInt32LittleEndian(to, value); }

    /// <summary>Writes 64 bits.</summary>
    public void U64(ulong value) { if (Take(8, out Span<byte> to)) BinaryPrimitives.WriteUInt64LittleEndian(to, value); }

    /// <summary>Writes 64 bits, signed.</summary>
    public void I64(long value) => U64((ulong)value);

    /// <summary>Writes 128 bits.</summary>
    public void U128(UInt128 value) { if (Take(16, out Span<byte> to)) BinaryPrimitives.WriteUInt128LittleEndian(to, value); }

    /// <summary>Writes a number in as few bytes as it needs, 7 bits a byte, low ones first: 1 byte below 128, at most 10.</summary>
    public void Var(ulong value)
    {
        while (value >= 0x80)
        {
            U8((byte)(value | 0x80));
            value >>= 7;
        }
        U8((byte)value);
    }

    /// <summary>Writes a truth value as one byte.</summary>
    public void Bool(bool value) => U8(value ? (byte)1 : (byte)0);

    /// <summary>Writes the 16 bytes of a GUID.</summary>
    public void Guid(Guid value) { if (Take(16, out Span<byte> to)) value.TryWriteBytes(to); }

    /// <summary>Writes a length of 16 bits, then that many bytes.</summary>
    public void Bytes(scoped ReadOnlySpan<byte> value)
    {
        if (value.Length > ushort.MaxValue) { Overflowed = true; return; }
        U16((ushort)value.Length);
        if (Take(value.Length, out Span<byte> to)) value.CopyTo(to);
    }

    /// <summary>Writes bytes without a length.</summary>
    public void Raw(scoped ReadOnlySpan<byte> value) { if (Take(value.Length, out Span<byte> to)) value.CopyTo(to); }

    /// <summary>Writes a string as UTF-8 with a length of 16 bits.</summary>
    public void String(string value) => Bytes(Encoding.UTF8.GetBytes(value));

    private bool Take(int count, out Span<byte> to)
    {
        if (Overflowed || count > _buffer.Length - Length)
        {
            Overflowed = true;
            to = default;
            return false;
        }
        to = _buffer.Slice(Length, count);
        Length += count;
        return true;
    }
}
