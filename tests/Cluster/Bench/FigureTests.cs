using System.Text.Json;
using Rum.Cli.Bench;

namespace Rum.Cluster.Tests.Bench;

public sealed class FigureTests
{
    internal static Figure Of(string name, double p50 = 10, double p99 = 20, double rate = 1000, double? ratio = null, string layout = "split", int threads = 1, bool disturbed = false) =>
        new(name, layout, threads, p50, p99, rate, ratio, ratio is null ? null : "other", 0, 0, 1, disturbed);

    [Fact]
    public void ALineOfJsonSaysItAllAndIsReadBack()
    {
        Figure figure = Of("fault.read.shm", 12.5, 19, 81_000, 1.25);
        string line = JsonSerializer.Serialize(figure, FigureJson.Default.Figure);
        Assert.DoesNotContain('\n', line);
        using JsonDocument json = JsonDocument.Parse(line);
        Assert.Equal(
            ["name", "layout", "threads", "p50_us", "p99_us", "ops_per_s", "ratio", "of", "steal_pct", "foreign_pct", "runs", "disturbed"],
            json.RootElement.EnumerateObject().Select(member => member.Name));
        Assert.Equal(figure, FigureReport.Parse(line));
    }

    [Fact]
    public void WhatAProgramPrintsBecomesASample()
    {
        using JsonDocument printed = JsonDocument.Parse("""{"p50_us":1.5,"p99_us":3,"ops_per_s":700,"hits":4,"steal_pct":0.5,"foreign_pct":11}""");
        Sample sample = BenchContext.ToSample(printed.RootElement);
        Assert.Equal(new Sample(1.5, 3, 700, 0.5, 11), sample);
        Assert.True(sample.Disturbed);
        Assert.False((sample with { ForeignPct = 10 }).Disturbed);
        Assert.True((sample with { ForeignPct = 0, StealPct = 3.1 }).Disturbed);
    }

    [Fact]
    public void TheTableHasOneWidth()
    {
        string[] lines = [.. BenchTable.Head.Split('\n'), BenchTable.Line(Of("memcpy", 0.24, 0, 0)), BenchTable.Line(Of("a", 1e6, 2e6, 1e8, 0.05, "one", 4, true))];
        Assert.Equal(4, lines.Length);
        Assert.All(lines, line => Assert.Equal(lines[0].Length, line.Length));
        Assert.Contains("0.2400", lines[2]);
        Assert.Contains("100,000,000", lines[3]);
        Assert.Contains("0.050", lines[3]);
        Assert.EndsWith("| disturbed |", lines[3]);
    }
}
