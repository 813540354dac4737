using System.Text.Json;

namespace Rum.Cli.Bench.Charts;

/// <summary>The charts that can be drawn of what was measured, and the figures themselves beside them.</summary>
internal static class ChartSet
{
    private static readonly string[] Layouts = ["split", "one", "free"];
    private static readonly int[] Threads = [1, 2, 4];

    /// <summary>Writes figures.jsonl and the charts into a directory; returns their paths.</summary>
    public static IReadOnlyList<string> Write(string directory, IReadOnlyList<Figure> figures)
    {
        Directory.CreateDirectory(directory);
        var written = new List<string>();
        void Put(string name, string? text)
        {
            if (text is null) return;
            string path = Path.Combine(directory, name);
            File.WriteAllText(path, text);
            written.Add(path);
        }
        Put("figures.jsonl", string.Concat(figures.Select(figure => JsonSerializer.Serialize(figure, FigureJson.Default.Figure) + "\n")));
        Put("latency.svg", Latency(figures));
        Put("throughput.svg", Throughput(figures));
        Put("threads.svg", ThreadCurves(figures));
        Put("slowdown-light.svg", SlowDown(figures, "light", "a program that sums each page up, 0.2 us"));
        Put("slowdown-heavy.svg", SlowDown(figures, "heavy", "a program that hashes each page, 4 us"));
        return written;
    }

    /// <summary>p50 and p99 of everything that is one operation at a time; null when there is nothing.</summary>
    public static string? Latency(IReadOnlyList<Figure> figures) =>
        Bars(figures, figure => figure.P50Us >= 0.3 && !IsScan(figure), figure => (figure.P50Us, figure.P99Us),
            "Latency", "median, and the 99th percentile as the thin line; a 4 KiB page each", "microseconds (logarithmic)");

    /// <summary>Operations a second of what moves pages; null when there is nothing.</summary>
    public static string? Throughput(IReadOnlyList<Figure> figures) =>
        Bars(figures, figure => figure.OpsPerSecond > 0 && !figure.Name.StartsWith("heap.", StringComparison.Ordinal)
                && !figure.Name.StartsWith("malloc.", StringComparison.Ordinal) && !figure.Name.StartsWith("alloc.", StringComparison.Ordinal),
            figure => (figure.OpsPerSecond, 0), "Throughput", "pages (faults, scans, copies, values of 4 KiB) a second, one thread", "a second (logarithmic)");

    /// <summary>Faults a second by threads; null when only one thread was measured.</summary>
    public static string? ThreadCurves(IReadOnlyList<Figure> figures)
    {
        List<Curve> curves = [.. figures.Where(figure => figure.Name.StartsWith("fault.", StringComparison.Ordinal) && figure.Layout == "split")
            .GroupBy(figure => figure.Name)
            .Where(group => group.Any(figure => figure.Threads > 1))
            .Select(group => new Curve(group.Key, [.. from figure in @group
                                                      let place = Array.IndexOf(Threads, figure.Threads)
                                                      where place >= 0
                                                      orderby place
                                                      select (place, figure.OpsPerSecond)]))];
        return curves.Count == 0 ? null : CurveChart.Draw("Faults a second by threads of the program", "layout split; all threads share one pager thread and one CPU",
            "threads", "touches a second (logarithmic)", [.. Threads.Select(count => $"{count}")], curves, "");
    }

    /// <summary>How many times slower a program is, by the share of its memory that is local; null when there is nothing.</summary>
    public static string? SlowDown(IReadOnlyList<Figure> figures, string work, string subtitle)
    {
        var curves = new List<Curve>();
        foreach (string pattern in new[] { "sequential", "zipf", "random" })
        {
            List<(int, double)> points = [.. from share in BenchCatalog.Shares.Select((share, place) => (share.Percent, Place: place))
                                             let figure = figures.FirstOrDefault(figure => figure.Name == $"curve.{pattern}.{work}.{share.Percent}")
                                             where figure is { Ratio: > 0 }
                                             select (share.Place, Math.Max(1, 1 / (figure.Ratio ?? 1)))];
            if (points.Count > 0) curves.Add(new Curve(pattern, points));
        }
        if (curves.Count == 0) return null;
        int half = BenchCatalog.Shares.ToList().FindIndex(share => share.Percent == "50");
        curves.AddRange(PublishedFigures.Systems.Select(system => new Curve(system.Name + " (published)", [(half, 1 / system.AtHalf)], Published: true)));
        return CurveChart.Draw($"Slow-down by local memory: {subtitle}", "crosses: published for other programs on servers with RDMA or kernel-bypass networks; see docs/BENCHMARKS.md",
            "local memory", "times slower than all local (logarithmic)", [.. BenchCatalog.Shares.Select(share => share.Percent + "%")], curves, "x");
    }

    private static bool IsScan(Figure figure) => figure.Name.Contains("scan", StringComparison.Ordinal) || figure.Name == "memcpy";

    private static string? Bars(
        IReadOnlyList<Figure> figures, Func<Figure, bool> show, Func<Figure, (double Value, double Whisker)> values, string title, string subtitle, string axis)
    {
        List<Figure> shown = [.. figures.Where(figure => figure.Threads == 1 && !figure.Name.StartsWith("curve.", StringComparison.Ordinal)
            && !figure.Name.StartsWith("idle.", StringComparison.Ordinal) && show(figure))];
        if (shown.Count == 0) return null;
        // Figures in the order in which they are measured, layouts of one figure beside each other.
        List<string> order = [.. BenchCatalog.Steps.SelectMany(step => step.Names).Distinct()];
        List<Bar> bars = [.. shown.OrderBy(figure => order.IndexOf(figure.Name)).ThenBy(figure => Array.IndexOf(Layouts, figure.Layout))
            .Select(figure => new Bar(figure.Name, figure.Layout, values(figure).Value, values(figure).Whisker))];
        return BarChart.Draw(title, subtitle, axis, bars, Layouts);
    }
}
