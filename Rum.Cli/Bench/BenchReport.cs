using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Rum.Cli.Bench;

/// <summary>The figures as a table for a person and as Markdown for docs/BENCHMARKS.md.</summary>
internal static class BenchReport
{
    private static readonly string[] Titles = ["figure", "layout", "p50 us", "p99 us", "per second", "ratio", "of", "steal %", "foreign %"];

    /// <summary>The table as Markdown, columns padded, so that it reads in a terminal too.</summary>
    public static string Table(IReadOnlyList<Figure> figures)
    {
        List<string[]> rows = [Titles, .. figures.Select(Cells)];
        int[] widths = [.. Titles.Select((_, column) => rows.Max(row => row[column].Length))];
        var text = new StringBuilder();
        for (int i = 0; i < rows.Count; i++)
        {
            text.Append("| ").AppendJoin(" | ", rows[i].Select((cell, column) => IsText(column) ? cell.PadRight(widths[column]) : cell.PadLeft(widths[column])))
                .AppendLine(" |");
            if (i == 0)
                text.Append('|').AppendJoin('|', widths.Select((width, column) => new string('-', width + 1) + (IsText(column) ? "-" : ":"))).AppendLine("|");
        }
        return text.ToString();
    }

    /// <summary>The machine in one line.</summary>
    public static string Machine()
    {
        string cpu = File.Exists("/proc/cpuinfo")
            ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[^1].Trim() ?? "unknown CPU"
            : "unknown CPU";
        string kernel = File.Exists("/proc/sys/kernel/osrelease") ? File.ReadAllText("/proc/sys/kernel/osrelease").Trim() : Environment.OSVersion.VersionString;
        double memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (double)(1L << 30);
        return string.Create(CultureInfo.InvariantCulture,
            $"{cpu}, {Environment.ProcessorCount} CPUs, {memory:F0} GiB, kernel {kernel}, {RuntimeInformation.FrameworkDescription}");
    }

    private static bool IsText(int column) => column is 0 or 1 or 6;

    private static string[] Cells(Figure figure) =>
    [
        figure.Name + (figure.Disturbed ? " (disturbed)" : ""),
        figure.Layout,
        Number(figure.P50Us),
        figure.P99Us > 0 ? Number(figure.P99Us) : "",
        figure.OpsPerSecond > 0 ? figure.OpsPerSecond.ToString("N0", CultureInfo.InvariantCulture) : "",
        figure.Ratio is double ratio ? ratio.ToString("F2", CultureInfo.InvariantCulture) : "",
        figure.Of ?? "",
        figure.StealPct.ToString("F1", CultureInfo.InvariantCulture),
        figure.ForeignPct.ToString("F1", CultureInfo.InvariantCulture),
    ];

    private static string Number(double us) => us.ToString(us < 1 ? "F4" : "F2", CultureInfo.InvariantCulture);
}
