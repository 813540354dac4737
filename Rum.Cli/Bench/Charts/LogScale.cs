using System.Globalization;

namespace Rum.Cli.Bench.Charts;

/// <summary>A logarithmic axis over whole decades.</summary>
internal sealed class LogScale
{
    private readonly int _first, _decades;

    /// <summary>An axis that holds all of these values; those at or below 0 are left out.</summary>
    public LogScale(IEnumerable<double> values)
    {
        double[] above = [.. values.Where(value => value > 0).DefaultIfEmpty(1)];
        _first = (int)Math.Floor(Math.Log10(above.Min()) + 1e-9);
        _decades = Math.Max(1, (int)Math.Ceiling(Math.Log10(above.Max()) - 1e-9) - _first);
    }

    /// <summary>Where the axis has its lines.</summary>
    public IEnumerable<double> Ticks => Enumerable.Range(_first, _decades + 1).Select(power => Math.Pow(10, power));

    /// <summary>A value's place, from 0 to 1.</summary>
    public double At(double value) => value <= 0 ? 0 : Math.Clamp((Math.Log10(value) - _first) / _decades, 0, 1);

    /// <summary>A number without more digits than it needs: 0.08, 12.5, 430, 87k, 1.2M.</summary>
    public static string Short(double value) => value switch
    {
        >= 1e9 => (value / 1e9).ToString("0.##", CultureInfo.InvariantCulture) + "G",
        >= 1e6 => (value / 1e6).ToString("0.##", CultureInfo.InvariantCulture) + "M",
        >= 1e4 => (value / 1e3).ToString("0", CultureInfo.InvariantCulture) + "k",
        >= 1e3 => (value / 1e3).ToString("0.#", CultureInfo.InvariantCulture) + "k",
        >= 100 => value.ToString("0", CultureInfo.InvariantCulture),
        >= 1 => value.ToString("0.#", CultureInfo.InvariantCulture),
        _ => value.ToString("0.####", CultureInfo.InvariantCulture),
    };
}
