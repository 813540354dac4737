using System.Globalization;

namespace Rum.Core.Configuration;

/// <summary>
/// Sizes in bytes as people write them: a number, then K, M, G or T in powers of 1,024, optionally followed by B or iB
/// ("4G", "512M", "1GiB", "4096"). Upper or lower case; a space may stand before the unit.
/// </summary>
public static class ByteSize
{
    /// <summary>What a size looks like, for error messages.</summary>
    public const string Expected = "a size such as 4G, 512M, 1GiB or a number of bytes";

    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

    /// <summary>Reads a size. False when it isn't one, is negative, or exceeds 2^63 - 1.</summary>
    public static bool TryParse(string? text, out long bytes)
    {
        bytes = 0;
        ReadOnlySpan<char> rest = (text ?? "").AsSpan().Trim();
        int digits = 0;
        while (digits < rest.Length && (char.IsAsciiDigit(rest[digits]) || rest[digits] == '.')) digits++;
        if (digits == 0) return false;
        if (!decimal.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal number)) return false;
        if (!TryUnit(rest[digits..].TrimStart(), out int shift)) return false;
        if (number > long.MaxValue) return false;
        decimal exact = number * (1L << shift);
        if (exact > long.MaxValue || exact != decimal.Truncate(exact)) return false;
        bytes = (long)exact;
        return true;
    }

    /// <summary>Writes a size so that <see cref="TryParse"/> reads the same number: whole units where they fit ("4GiB"), else bytes.</summary>
    public static string Exact(long bytes)
    {
        int unit = 0;
        while (unit < Units.Length - 2 && bytes != 0 && (bytes & 1023) == 0) { bytes >>= 10; unit++; }
        return unit == 0 ? bytes.ToString(CultureInfo.InvariantCulture) : string.Create(CultureInfo.InvariantCulture, $"{bytes}{Units[unit]}");
    }

    /// <summary>Writes a size for a person, with at most one decimal ("1.5 GiB").</summary>
    public static string Format(long bytes)
    {
        double value = bytes;
        int unit = 0;
        while (Math.Abs(value) >= 1024 && unit < Units.Length - 1) { value /= 1024; unit++; }
        return string.Create(CultureInfo.InvariantCulture, $"{value:0.#} {Units[unit]}");
    }

    private static bool TryUnit(ReadOnlySpan<char> unit, out int shift)
    {
        shift = 0;
        if (unit.IsEmpty) return true;
        int power = "KMGT".IndexOf(char.ToUpperInvariant(unit[0]));
        if (power < 0) return unit is "b" or "B";
        shift = 10 * (power + 1);
        ReadOnlySpan<char> tail = unit[1..];
        return tail.IsEmpty || tail.Equals("B", StringComparison.OrdinalIgnoreCase) || tail.Equals("iB", StringComparison.OrdinalIgnoreCase);
    }
}
