using Rum.Cli.Bench;

namespace Rum.Cluster.Tests.Bench;

public sealed class BenchRunnerTests
{
    private static readonly Sample Quiet = new(10, 20, 1000, 0, 0), Disturbed = new(99, 99, 1, 0, 50);

    private static Figure Run(int repeats, int extraMax, out int taken, params Sample[] samples)
    {
        using var context = new BenchContext("nowhere", quick: true);
        var runner = new BenchRunner(context, repeats, extraMax, _ => { });
        int next = 0;
        runner.Run(new BenchStep(["x"], [BenchLayout.One], 1, (_, _) => new Dictionary<string, Sample> { ["x"] = samples[next++] }), BenchLayout.One, _ => { });
        taken = next;
        return Assert.Single(runner.Figures);
    }

    [Fact]
    public void TheMedianCounts()
    {
        Figure figure = Run(3, 0, out _, Quiet with { P50Us = 3 }, Quiet with { P50Us = 1 }, Quiet with { P50Us = 2 });
        Assert.Equal((2, 3, false), (figure.P50Us, figure.Runs, figure.Disturbed));
    }

    [Fact]
    public void ADisturbedRunIsRepeated()
    {
        Figure figure = Run(2, 3, out int taken, Quiet, Disturbed, Disturbed, Quiet);
        Assert.Equal((10, 4, false), (figure.P50Us, taken, figure.Disturbed));
    }

    [Fact]
    public void NotForEver()
    {
        Figure figure = Run(2, 3, out int taken, Disturbed, Disturbed, Disturbed, Quiet, Disturbed);
        Assert.Equal((5, true), (taken, figure.Disturbed));
        Assert.Equal(50, figure.ForeignPct);
    }

    [Fact]
    public void WhatFailsIsNamedAndTheRestGoesOn()
    {
        using var context = new BenchContext("nowhere", quick: true);
        var runner = new BenchRunner(context, 1, 0, _ => { });
        runner.Run(new BenchStep(["x"], [BenchLayout.One], 1, (_, _) => throw new BenchException("no silo")), BenchLayout.One, _ => { });
        runner.Run(new BenchStep(["y"], [BenchLayout.One], 1, (_, _) => throw new InvalidOperationException()) { Missing = () => "not installed" }, BenchLayout.One, _ => { });
        Assert.Equal([("x one", "no silo"), ("y", "not installed")], runner.Skipped);
        Assert.Empty(runner.Figures);
    }

    [Fact]
    public void WhatWasTakenBeforeTheStopCounts()
    {
        using var context = new BenchContext("nowhere", quick: true);
        var runner = new BenchRunner(context, 5, 0, _ => { });
        int taken = 0;
        runner.Run(new BenchStep(["x"], [BenchLayout.One], 1, (_, _) =>
        {
            if (++taken < 3) return new Dictionary<string, Sample> { ["x"] = Quiet };
            context.Stop();
            throw new BenchException("killed");
        }), BenchLayout.One, _ => { });
        Assert.Equal(2, Assert.Single(runner.Figures).Runs);
        Assert.Empty(runner.Skipped);
    }

    [Theory]
    [InlineData(true, 0.5)]
    [InlineData(false, 2.0)]
    public void ARatioIsOfRatesOrOfMedians(bool rates, double expected)
    {
        using var context = new BenchContext("nowhere", quick: true);
        var runner = new BenchRunner(context, 1, 0, _ => { });
        runner.Run(new BenchStep(["floor"], [BenchLayout.One], 1, (_, _) => new Dictionary<string, Sample> { ["floor"] = new(5, 9, 2000, 0, 0) }), BenchLayout.One, _ => { });
        runner.Run(
            new BenchStep(["x"], [BenchLayout.One], 1, (_, _) => new Dictionary<string, Sample> { ["x"] = new(10, 20, 1000, 0, 0) }) { Of = _ => "floor", RatioOfRates = rates },
            BenchLayout.One, _ => { });
        Assert.Equal((expected, "floor"), (runner.Figures[1].Ratio, runner.Figures[1].Of));
    }
}
