using System.Globalization;
using System.Net;
using System.Text;

namespace Rum.Cli.Demo;

/// <summary>The histogram of fault times as a picture: time on a logarithmic axis, share of all faults on the other; readable on light and dark.</summary>
internal static class FaultsSvg
{
    private const int Width = 760, Height = 360, Left = 64, Right = 20, Top = 48, Bottom = 56;
    private const int BarsPerDecade = 20;

    public static string Draw(LatencyHistogram faults, string title)
    {
        double[] shares = Shares(faults, out int firstDecade, out int decades);
        double highest = Math.Max(0.01, shares.Max());
        double plotWidth = Width - Left - Right, plotHeight = Height - Top - Bottom;
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {Height}" role="img" aria-label="{WebUtility.HtmlEncode(title)}" font-family="system-ui, sans-serif" font-size="13">
            <style>
              .paper {"{"} fill: #ffffff {"}"} .ink {"{"} fill: #1b1f24 {"}"} .faint {"{"} stroke: #d0d7de {"}"} .bar {"{"} fill: #2563eb {"}"} .mark {"{"} stroke: #c2410c; fill: #c2410c {"}"}
              @media (prefers-color-scheme: dark) {"{"}
                .paper {"{"} fill: #14181d {"}"} .ink {"{"} fill: #e6edf3 {"}"} .faint {"{"} stroke: #3a424c {"}"} .bar {"{"} fill: #6ea8fe {"}"} .mark {"{"} stroke: #ffa657; fill: #ffa657 {"}"}
              {"}"}
            </style>
            <rect class="paper" width="{Width}" height="{Height}"/>
            <text class="ink" x="{Left}" y="26" font-size="15" font-weight="600">{WebUtility.HtmlEncode(title)}</text>

            """);
        DrawAxes(svg, highest, firstDecade, decades, plotWidth, plotHeight);
        double barWidth = plotWidth / shares.Length;
        for (int i = 0; i < shares.Length; i++)
        {
            if (shares[i] <= 0) continue;
            double height = shares[i] / highest * plotHeight;
            Line(svg, $"""<rect class="bar" x="{Left + (i * barWidth):0.0}" y="{Top + plotHeight - height:0.0}" width="{Math.Max(1, barWidth - 1):0.0}" height="{height:0.0}"/>""");
        }
        DrawMark(svg, "p50", faults.PercentileUs(0.5), 14, firstDecade, decades, plotWidth, plotHeight);
        DrawMark(svg, "p99", faults.PercentileUs(0.99), 30, firstDecade, decades, plotWidth, plotHeight);
        DrawMark(svg, "p99.9", faults.PercentileUs(0.999), 46, firstDecade, decades, plotWidth, plotHeight);
        svg.Append("</svg>\n");
        return svg.ToString();
    }

    private static double[] Shares(LatencyHistogram faults, out int firstDecade, out int decades)
    {
        double lowest = faults.Total == 0 ? 1 : faults.Buckets.First().Key / 1000.0;
        double highest = faults.Total == 0 ? 1000 : faults.Buckets.Last().Key / 1000.0;
        firstDecade = (int)Math.Floor(Math.Log10(Math.Max(0.001, lowest)));
        decades = Math.Max(1, (int)Math.Floor(Math.Log10(Math.Max(0.001, highest))) + 1 - firstDecade);
        double[] shares = new double[decades * BarsPerDecade];
        foreach ((long lower, long count) in faults.Buckets)
        {
            int bar = (int)((Math.Log10(lower / 1000.0) - firstDecade) * BarsPerDecade);
            shares[Math.Clamp(bar, 0, shares.Length - 1)] += (double)count / faults.Total;
        }
        return shares;
    }

    private static void DrawAxes(StringBuilder svg, double highest, int firstDecade, int decades, double plotWidth, double plotHeight)
    {
        for (int i = 0; i <= decades; i++)
        {
            double x = Left + (plotWidth * i / decades);
            double us = Math.Pow(10, firstDecade + i);
            string label = us >= 1_000_000 ? $"{us / 1_000_000:0.###} s" : us >= 1000 ? $"{us / 1000:0.###} ms" : $"{us:0.###} µs";
            Line(svg, $"""<line class="faint" x1="{x:0.0}" y1="{Top}" x2="{x:0.0}" y2="{Top + plotHeight:0.0}"/>""");
            Line(svg, $"""<text class="ink" x="{x:0.0}" y="{Top + plotHeight + 18:0.0}" text-anchor="{(i == decades ? "end" : "middle")}">{label}</text>""");
        }
        for (int i = 0; i <= 4; i++)
        {
            double y = Top + plotHeight - (plotHeight * i / 4);
            Line(svg, $"""<line class="faint" x1="{Left}" y1="{y:0.0}" x2="{Left + plotWidth:0.0}" y2="{y:0.0}"/>""");
            Line(svg, $"""<text class="ink" x="{Left - 8}" y="{y + 4:0.0}" text-anchor="end">{highest * i / 4:0.0%}</text>""");
        }
        Line(svg, $"""<text class="ink" x="{Left + (plotWidth / 2):0.0}" y="{Height - 12}" text-anchor="middle">time of a fault, as the program sees it (logarithmic)</text>""");
        Line(svg, $"""<text class="ink" transform="translate(16 {Top + (plotHeight / 2):0.0}) rotate(-90)" text-anchor="middle">share of faults</text>""");
    }

    private static void DrawMark(StringBuilder svg, string name, double us, int down, int firstDecade, int decades, double plotWidth, double plotHeight)
    {
        if (us <= 0) return;
        double x = Left + ((Math.Log10(us) - firstDecade) / decades * plotWidth);
        Line(svg, $"""<line class="mark" x1="{x:0.0}" y1="{Top}" x2="{x:0.0}" y2="{Top + plotHeight:0.0}" stroke-dasharray="4 3"/>""");
        bool leftOfIt = x > Left + (plotWidth * 0.8);
        Line(svg, $"""<text class="mark" style="stroke: none" x="{(leftOfIt ? x - 5 : x + 5):0.0}" y="{Top + down}" text-anchor="{(leftOfIt ? "end" : "start")}">{name} {us:0.0} µs</text>""");
    }

    private static void Line(StringBuilder svg, FormattableString text) => svg.Append(text.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
