namespace Rum.Cli.Bench.Charts;

/// <summary>A bar of <see cref="BarChart"/>.</summary>
/// <param name="Label">What stands left of it.</param>
/// <param name="Series">Its colour and its entry in the legend.</param>
/// <param name="Value">Its length.</param>
/// <param name="Whisker">A second value, marked by a thin line from the bar's end; 0 for none.</param>
internal readonly record struct Bar(string Label, string Series, double Value, double Whisker);

/// <summary>Horizontal bars on a logarithmic axis, grouped by label, a colour per series.</summary>
internal static class BarChart
{
    private const int Width = 900, Left = 210, Right = 110, Top = 96, RowHeight = 15, GroupGap = 9, Bottom = 44;

    /// <summary>Draws it; bars without a value are left out.</summary>
    public static string Draw(string title, string subtitle, string axis, IReadOnlyList<Bar> bars, IReadOnlyList<string> series)
    {
        List<IGrouping<string, Bar>> groups = [.. bars.Where(bar => bar.Value > 0).GroupBy(bar => bar.Label)];
        int rows = groups.Sum(group => group.Count());
        int height = Top + (rows * RowHeight) + (groups.Count * GroupGap) + Bottom;
        var paper = new SvgPaper(Width, height, title, subtitle);
        var scale = new LogScale(bars.SelectMany(bar => new[] { bar.Value, bar.Whisker }));
        double span = Width - Left - Right, end = height - Bottom;
        double x = Left;
        for (int i = 0; i < series.Count; i++)
        {
            paper.Bar(x, 64, 12, 12, "s" + i);
            paper.Text(x + 18, 75, series[i], "ink", size: 12);
            x += 30 + (series[i].Length * 8);
        }
        foreach (double tick in scale.Ticks)
        {
            double at = Left + (span * scale.At(tick));
            paper.Line(at, Top - 6, at, end, "faint");
            paper.Text(at, end + 16, LogScale.Short(tick), "soft", "middle", size: 12);
        }
        paper.Text(Left + (span / 2), height - 8, axis, "soft", "middle", size: 12);
        double y = Top;
        foreach (IGrouping<string, Bar> group in groups)
        {
            paper.Text(Left - 10, y + (group.Count() * RowHeight / 2.0) + 4, group.Key, "ink", "end", size: 12);
            foreach (Bar bar in group)
            {
                string css = "s" + Math.Max(0, series.ToList().IndexOf(bar.Series));
                double length = span * scale.At(bar.Value), tip = Left + length;
                paper.Bar(Left, y + 2, length, RowHeight - 4, css);
                if (bar.Whisker > bar.Value)
                {
                    tip = Left + (span * scale.At(bar.Whisker));
                    paper.Line(Left + length, y + (RowHeight / 2.0), tip, y + (RowHeight / 2.0), css);
                    paper.Line(tip, y + 3, tip, y + RowHeight - 3, css);
                }
                paper.Text(tip + 6, y + RowHeight - 4, bar.Whisker > 0 ? $"{LogScale.Short(bar.Value)} / {LogScale.Short(bar.Whisker)}" : LogScale.Short(bar.Value), "soft", size: 11);
                y += RowHeight;
            }
            y += GroupGap;
        }
        return paper.Finish();
    }
}
