using System.Globalization;
using System.Xml.Linq;
using Rum.Cli.Bench;
using Rum.Cli.Bench.Charts;

namespace Rum.Cluster.Tests.Bench;

public sealed class ChartTests
{
    private static IEnumerable<XElement> Elements(string? svg, string name, string css) =>
        XDocument.Parse(Assert.IsType<string>(svg)).Descendants().Where(e => e.Name.LocalName == name && ((string?)e.Attribute("class") ?? "").Split(' ').Contains(css));

    private static double Number(XElement element, string attribute) => double.Parse((string)element.Attribute(attribute)!, CultureInfo.InvariantCulture);

    [Fact]
    public void ABarIsAsLongAsTheLogarithmOfItsValue()
    {
        string? svg = ChartSet.Latency([FigureTests.Of("kernel.touch", 1, 1, layout: "one"), FigureTests.Of("fault.read.shm", 10, 10), FigureTests.Of("peer.redis.get", 100, 100)]);
        // The legend's boxes are 12 high.
        double[] widths = [.. Elements(svg, "rect", "bar").Where(bar => Number(bar, "height") < 12).Select(bar => Number(bar, "width"))];
        Assert.Equal(3, widths.Length);
        Assert.Equal(1, widths[0]);
        Assert.Equal(2 * widths[1], widths[2], 0.2);
    }

    [Fact]
    public void OneSeriesPerLayoutAndWhiskersForP99()
    {
        string? svg = ChartSet.Latency([FigureTests.Of("fault.read.shm", 10, 30), FigureTests.Of("fault.read.shm", 20, 50, layout: "one"), FigureTests.Of("fault.read.shm", threads: 4)]);
        Assert.Equal(2, Elements(svg, "rect", "bar").Count(bar => Number(bar, "height") < 12));
        Assert.Contains("10 / 30", svg);
        Assert.Contains("20 / 50", svg);
    }

    [Fact]
    public void ASlowDownCurveIsTheInverseOfTheRatio()
    {
        string? svg = ChartSet.SlowDown(
            [FigureTests.Of("curve.zipf.heavy.100", ratio: 1), FigureTests.Of("curve.zipf.heavy.50", ratio: 0.5), FigureTests.Of("curve.zipf.heavy.12.5", ratio: 0.1)], "heavy", "x");
        XElement curve = Assert.Single(Elements(svg, "polyline", "curve"));
        double[] heights = [.. ((string)curve.Attribute("points")!).Split(' ').Select(point => double.Parse(point.Split(',')[1], CultureInfo.InvariantCulture))];
        Assert.Equal(3, heights.Length);
        Assert.True(heights[0] > heights[1] && heights[1] > heights[2], "slower is higher");
        Assert.Contains("zipf, 10x at 12.5%", svg);
        foreach ((string system, _, _) in PublishedFigures.Systems) Assert.Contains(system + " (published)", svg);
    }

    [Fact]
    public void NothingMeasuredDrawsNothing()
    {
        Assert.Null(ChartSet.Latency([]));
        Assert.Null(ChartSet.Throughput([FigureTests.Of("heap.64")]));
        Assert.Null(ChartSet.ThreadCurves([FigureTests.Of("fault.read.shm")]));
        Assert.Null(ChartSet.SlowDown([FigureTests.Of("memcpy")], "light", ""));
    }

    [Fact]
    public void FilesAreWrittenAndReadBack()
    {
        using var directory = new TemporaryDirectory();
        Figure[] figures = [FigureTests.Of("fault.read.shm"), FigureTests.Of("fault.read.shm", threads: 2), FigureTests.Of("fault.read.shm", threads: 4)];
        IReadOnlyList<string> written = ChartSet.Write(directory.Path, figures);
        Assert.Equal(["figures.jsonl", "latency.svg", "threads.svg", "throughput.svg"], written.Select(path => Path.GetFileName(path)!).Order());
        Assert.Equal(figures, File.ReadLines(written[0]).Select(FigureReport.Parse));
        Assert.All(written.Skip(1), path => XDocument.Load(path));
    }

    [Theory]
    [InlineData(0.0083, "0.0083")]
    [InlineData(12.54, "12.5")]
    [InlineData(430.4, "430")]
    [InlineData(1327, "1.3k")]
    [InlineData(87_400, "87k")]
    [InlineData(3_767_186, "3.77M")]
    public void NumbersAreShort(double value, string expected) => Assert.Equal(expected, LogScale.Short(value));

    [Fact]
    public void AnAxisHoldsItsValues()
    {
        var scale = new LogScale([2, 35, 900]);
        Assert.Equal([1, 10, 100, 1000], scale.Ticks.Select(tick => Math.Round(tick, 6)));
        Assert.Equal(1 / 3.0, scale.At(10), 6);
        Assert.Equal(0, scale.At(0));
        Assert.Equal(1, scale.At(1e9));
        Assert.Equal(2, new LogScale([5]).Ticks.Count());
    }
}
