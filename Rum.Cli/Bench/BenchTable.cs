using System.Globalization;
using System.Runtime.InteropServices;

namespace Rum.Cli.Bench;

/// <summary>The figures as a table of fixed columns, a line at a time, so that each can be printed when it is known. It is Markdown too.</summary>
internal static class BenchTable
{
    private static readonly (string Title, int Width, bool IsText)[] Columns =
    [
        ("figure", 28, true), ("layout", 6, true), ("threads", 7, false), ("p50 us", 10, false), ("p99 us", 10, false), ("per second", 12, false),
        ("ratio", 6, false), ("of", 28, true), ("steal %", 7, false), ("others %", 8, false), ("", 9, true),
    ];

    /// <summary>Titles and the line below them.</summary>
    public static string Head => Row([.. Columns.Select(column => column.Title)]) + "\n|"
        + string.Join('|', Columns.Select(column => new string('-', column.Width + 1) + (column.IsText ? "-" : ":"))) + "|";

    /// <summary>A figure's line.</summary>
    public static string Line(Figure figure) => Row(
    [
        figure.Name,
        figure.Layout,
        figure.Threads.ToString(CultureInfo.InvariantCulture),
        Number(figure.P50Us),
        figure.P99Us > 0 ? Number(figure.P99Us) : "",
        figure.OpsPerSecond > 0 ? figure.OpsPerSecond.ToString("N0", CultureInfo.InvariantCulture) : "",
        figure.Ratio is double ratio ? ratio.ToString(ratio < 0.1 ? "F3" : "F2", CultureInfo.InvariantCulture) : "",
        figure.Of ?? "",
        figure.StealPct.ToString("F1", CultureInfo.InvariantCulture),
        figure.ForeignPct.ToString("F1", CultureInfo.InvariantCulture),
        figure.Disturbed ? "disturbed" : "",
    ]);

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

    private static string Row(string[] cells) =>
        "| " + string.Join(" | ", cells.Select((cell, i) => Columns[i].IsText ? cell.PadRight(Columns[i].Width) : cell.PadLeft(Columns[i].Width))) + " |";

    private static string Number(double us) => us.ToString(us < 1 ? "F4" : "F2", CultureInfo.InvariantCulture);
}
