using System.Globalization;
using System.Net;
using System.Text;

namespace Rum.Cli.Bench.Charts;

/// <summary>A drawing in SVG that is readable on light and dark; series have the colours s0 to s5.</summary>
internal sealed class SvgPaper
{
    /// <summary>Colours of series.</summary>
    public const int SeriesMax = 6;

    private const string Style = """
        <style>
          .paper { fill: #ffffff } .ink { fill: #1b1f24 } .soft { fill: #57606a } .faint { stroke: #d8dee4 }
          .s0 { fill: #2563eb; stroke: #2563eb } .s1 { fill: #c2410c; stroke: #c2410c } .s2 { fill: #15803d; stroke: #15803d }
          .s3 { fill: #7c3aed; stroke: #7c3aed } .s4 { fill: #a16207; stroke: #a16207 } .s5 { fill: #be185d; stroke: #be185d }
          .bar { stroke: none } .curve { fill: none; stroke-width: 2 } .word { stroke: none }
          @media (prefers-color-scheme: dark) {
            .paper { fill: #14181d } .ink { fill: #e6edf3 } .soft { fill: #9aa4af } .faint { stroke: #343b44 }
            .s0 { fill: #6ea8fe; stroke: #6ea8fe } .s1 { fill: #ffa657; stroke: #ffa657 } .s2 { fill: #6fdd8b; stroke: #6fdd8b }
            .s3 { fill: #b69cff; stroke: #b69cff } .s4 { fill: #e3c35a; stroke: #e3c35a } .s5 { fill: #ff8fc0; stroke: #ff8fc0 }
            .bar { stroke: none } .curve { fill: none } .word { stroke: none }
          }
        </style>
        """;

    private readonly StringBuilder _svg = new();

    /// <summary>An empty sheet with a title and a line below it.</summary>
    public SvgPaper(int width, int height, string title, string subtitle)
    {
        Add($"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="{WebUtility.HtmlEncode(title)}" font-family="system-ui, 'DejaVu Sans', sans-serif" font-size="13">""");
        _svg.Append(Style).Append('\n');
        Add($"""<rect class="paper" width="{width}" height="{height}"/>""");
        Text(20, 28, title, "ink", weight: "600", size: 16);
        Text(20, 48, subtitle, "soft", size: 12);
    }

    /// <summary>A filled rectangle.</summary>
    public void Bar(double x, double y, double width, double height, string css) =>
        Add($"""<rect class="{css} bar" x="{x:0.0}" y="{y:0.0}" width="{Math.Max(1, width):0.0}" height="{height:0.0}" rx="2"/>""");

    /// <summary>A straight line.</summary>
    public void Line(double x1, double y1, double x2, double y2, string css, string dashes = "") =>
        Add($"""<line class="{css}" x1="{x1:0.0}" y1="{y1:0.0}" x2="{x2:0.0}" y2="{y2:0.0}" stroke-dasharray="{dashes}"/>""");

    /// <summary>A line through points.</summary>
    public void Curve(IEnumerable<(double X, double Y)> points, string css) =>
        Add($"""<polyline class="{css} curve" points="{string.Join(' ', points.Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.X:0.0},{p.Y:0.0}")))}"/>""");

    /// <summary>A dot.</summary>
    public void Dot(double x, double y, string css, double radius = 3.5) => Add($"""<circle class="{css}" cx="{x:0.0}" cy="{y:0.0}" r="{radius:0.0}"/>""");

    /// <summary>A cross.</summary>
    public void Cross(double x, double y, string css)
    {
        Line(x - 5, y - 5, x + 5, y + 5, css);
        Line(x - 5, y + 5, x + 5, y - 5, css);
    }

    /// <summary>Words at a place.</summary>
    public void Text(double x, double y, string words, string css, string anchor = "start", string weight = "400", int size = 13) =>
        Add($"""<text class="{css} word" x="{x:0.0}" y="{y:0.0}" text-anchor="{anchor}" font-weight="{weight}" font-size="{size}">{WebUtility.HtmlEncode(words)}</text>""");

    /// <summary>Words along a vertical axis.</summary>
    public void VerticalText(double x, double y, string words) =>
        Add($"""<text class="soft word" transform="translate({x:0.0} {y:0.0}) rotate(-90)" text-anchor="middle" font-size="12">{WebUtility.HtmlEncode(words)}</text>""");

    /// <summary>The finished drawing.</summary>
    public string Finish() => _svg.Append("</svg>\n").ToString();

    private void Add(FormattableString text) => _svg.Append(text.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
