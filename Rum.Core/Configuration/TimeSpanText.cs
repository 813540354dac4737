using System.Globalization;

namespace Rum.Core.Configuration;

/// <summary>Lengths of time as people write them: "10s", "500ms", "2m", or a bare number of seconds.</summary>
public static class TimeSpanText
{
    /// <summary>What a length of time looks like, for error messages.</summary>
    public const string Expected = "a time such as 10s, 500ms or 2m";

    /// <summary>Reads a length of time. False when it isn't one, is negative, or exceeds a day.</summary>
    public static bool TryParse(string? text, out TimeSpan time)
    {
        time = default;
        ReadOnlySpan<char> rest = (text ?? "").AsSpan().Trim();
        int digits = 0;
        while (digits < rest.Length && (char.IsAsciiDigit(rest[digits]) || rest[digits] == '.')) digits++;
        if (digits == 0) return false;
        if (!double.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number)) return false;
        double seconds = rest[digits..].Trim() switch
        {
            "ms" => number / 1000,
            "" or "s" => number,
            "m" or "min" => number * 60,
            "h" => number * 3600,
            _ => -1,
        };
        if (seconds is < 0 or > 86400) return false;
        time = TimeSpan.FromSeconds(seconds);
        return true;
    }

    /// <summary>Writes a length of time so that <see cref="TryParse"/> reads the same one.</summary>
    public static string Format(TimeSpan time) => time.TotalMilliseconds % 1000 == 0
        ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0}s")
        : string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0.###}ms");
}
