namespace Rum.Cli.Bench;

/// <summary>Runs steps, repeats disturbed runs, and turns samples into figures.</summary>
internal sealed class BenchRunner(BenchContext context, int repeats, int extraRunsMax, Action<string> progress)
{
    private readonly List<Figure> _figures = [];

    /// <summary>What has been measured.</summary>
    public IReadOnlyList<Figure> Figures => _figures;

    /// <summary>Steps that could not run, with the reason.</summary>
    public List<(string Name, string Why)> Skipped { get; } = [];

    /// <summary>Runs one step in one layout; <paramref name="figures"/> are called one by one.</summary>
    public void Run(BenchStep step, BenchLayout layout, Action<Figure> figures)
    {
        if (step.Missing() is string why)
        {
            Skip(step.Title, why);
            return;
        }
        if (layout == BenchLayout.Split && Environment.ProcessorCount < 2)
        {
            Skip(step.Title + " split", "this machine has one CPU");
            return;
        }
        List<IReadOnlyDictionary<string, Sample>> runs = [];
        try
        {
            Take(step, layout, runs);
        }
        catch (BenchException e)
        {
            // What was taken before the user stopped it still counts.
            if (!context.Stopped) Skip($"{step.Title} {layout.Name()}", e.Message);
            if (!context.Stopped || runs.Count == 0) return;
        }
        foreach (string name in runs[0].Keys)
        {
            Figure figure = ToFigure(step, name, layout, [.. runs.Select(run => run[name])]);
            _figures.Add(figure);
            figures(figure);
        }
    }

    /// <summary>Notes why something was not measured.</summary>
    public void Skip(string name, string why)
    {
        if (!Skipped.Contains((name, why))) Skipped.Add((name, why));
    }

    private void Take(BenchStep step, BenchLayout layout, List<IReadOnlyDictionary<string, Sample>> runs)
    {
        int extra = 0;
        while (runs.Count < repeats)
        {
            progress($"{step.Title} {layout.Name()} {runs.Count + 1}/{repeats}{(extra > 0 ? $", {extra} disturbed" : "")}");
            IReadOnlyDictionary<string, Sample> run = step.Run(context, layout);
            if (extra < extraRunsMax && run.Values.Any(sample => sample.Disturbed))
            {
                extra++;
                continue;
            }
            runs.Add(run);
        }
    }

    private Figure ToFigure(BenchStep step, string name, BenchLayout layout, Sample[] samples)
    {
        double p50 = Median(samples, sample => sample.P50Us), rate = Median(samples, sample => sample.OpsPerSecond);
        Figure? of = step.Of(name) is string reference
            ? _figures.Find(figure => figure.Name == reference && figure.Threads == 1 && figure.Layout == layout.Name())
                ?? _figures.Find(figure => figure.Name == reference && figure.Threads == 1)
            : null;
        double? ratio = of is null ? null
            : step.RatioOfRates ? of.OpsPerSecond > 0 ? rate / of.OpsPerSecond : null
            : of.P50Us > 0 ? p50 / of.P50Us : null;
        return new Figure(name, layout.Name(), step.Threads, p50, Median(samples, sample => sample.P99Us), rate, ratio, ratio is null ? null : of!.Name,
            samples.Max(sample => sample.StealPct), samples.Max(sample => sample.ForeignPct), samples.Length, samples.Any(sample => sample.Disturbed));
    }

    private static double Median(Sample[] samples, Func<Sample, double> of)
    {
        double[] sorted = [.. samples.Select(of).Order()];
        int middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
