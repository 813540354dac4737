using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Rum.Core;

/// <summary>The 128-bit key of a named segment. Zero is no key: the segment is anonymous.</summary>
public readonly record struct SegmentKey(UInt128 Value)
{
    /// <summary>Hex digits of a key in text.</summary>
    public const int TextLength = 32;

    /// <summary>Whether this is no key.</summary>
    public bool IsAnonymous => Value == UInt128.Zero;

    /// <summary>
    /// The key of a name: the first 16 bytes, big-endian, of SHA-256 over its UTF-8 form. So two names don't meet by chance (2^64 names
    /// until one expects it), nor can anyone make two meet cheaply. The one hash that would give the reserved zero gives 1.
    /// </summary>
    public static SegmentKey FromName(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(name), hash);
        UInt128 value = System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(hash);
        return new SegmentKey(value == UInt128.Zero ? UInt128.One : value);
    }

    /// <summary>Reads 32 hex digits of either case; false for anything else. The anonymous key parses.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out SegmentKey key)
    {
        key = default;
        if (text.Length != TextLength) return false;
        foreach (char digit in text)
        {
            if (!char.IsAsciiHexDigit(digit)) return false;
        }
        key = new SegmentKey(UInt128.Parse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
        return true;
    }

    /// <summary>Reads 32 hex digits or throws <see cref="FormatException"/>.</summary>
    public static SegmentKey Parse(ReadOnlySpan<char> text) =>
        TryParse(text, out SegmentKey key) ? key : throw new FormatException($"'{text}' is not a segment key: it has 32 hex digits.");

    /// <summary>32 lower-case hex digits.</summary>
    public override string ToString() => Value.ToString("x32", CultureInfo.InvariantCulture);
}
