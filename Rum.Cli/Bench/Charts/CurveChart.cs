namespace Rum.Cli.Bench.Charts;

/// <summary>A series of <see cref="CurveChart"/>: points by place on the horizontal axis (0 is the first), in order.</summary>
/// <param name="Name">Its entry in the legend.</param>
/// <param name="Points">Its points.</param>
/// <param name="Published">A figure of others: crosses, no line.</param>
internal sealed record Curve(string Name, IReadOnlyList<(int Place, double Value)> Points, bool Published = false);

/// <summary>Curves over a few named places, on a logarithmic axis.</summary>
internal static class CurveChart
{
    private const int Width = 900, Height = 460, Left = 76, Right = 250, Top = 76, Bottom = 60;

    /// <summary>Draws it.</summary>
    public static string Draw(
        string title, string subtitle, string horizontal, string vertical, IReadOnlyList<string> places, IReadOnlyList<Curve> curves, string unit)
    {
        var paper = new SvgPaper(Width, Height, title, subtitle);
        var scale = new LogScale(curves.SelectMany(curve => curve.Points.Select(point => point.Value)));
        double width = Width - Left - Right, height = Height - Top - Bottom;
        double X(int place) => Left + (width * (place + 0.5) / places.Count);
        double Y(double value) => Top + (height * (1 - scale.At(value)));
        foreach (double tick in scale.Ticks)
        {
            paper.Line(Left, Y(tick), Left + width, Y(tick), "faint");
            paper.Text(Left - 8, Y(tick) + 4, LogScale.Short(tick) + unit, "soft", "end", size: 12);
        }
        for (int i = 0; i < places.Count; i++)
        {
            paper.Line(X(i), Top, X(i), Top + height, "faint", "2 4");
            paper.Text(X(i), Top + height + 18, places[i], "soft", "middle", size: 12);
        }
        paper.Text(Left + (width / 2), Height - 12, horizontal, "soft", "middle", size: 12);
        paper.VerticalText(20, Top + (height / 2), vertical);
        double legend = Top + 10;
        for (int i = 0; i < curves.Count; i++)
        {
            Curve curve = curves[i];
            string css = "s" + (i % SvgPaper.SeriesMax);
            if (!curve.Published) paper.Curve(curve.Points.Select(point => (X(point.Place), Y(point.Value))), css);
            foreach ((int place, double value) in curve.Points)
            {
                if (curve.Published) paper.Cross(X(place), Y(value), css);
                else paper.Dot(X(place), Y(value), css);
            }
            if (curve.Published) paper.Cross(Left + width + 24, legend - 4, css);
            else paper.Dot(Left + width + 24, legend - 4, css, 5);
            string last = curve.Points.Count > 0 ? $", {LogScale.Short(curve.Points[^1].Value)}{unit}{(curve.Published ? "" : " at " + places[curve.Points[^1].Place])}" : "";
            paper.Text(Left + width + 38, legend, curve.Name + last, "ink", size: 12);
            legend += 22;
        }
        return paper.Finish();
    }
}
