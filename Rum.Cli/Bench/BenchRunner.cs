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

    /// <summary>A figure with its ratio of what its step compares it with, if that is among <paramref name="figures"/>.</summary>
    public static Figure Compared(Figure figure, BenchStep step, IReadOnlyList<Figure> figures)
    {
        Figure[] references = step.Of(figure.Name) is string name ? [.. figures.Where(other => other.Name == name && other.Threads == 1)] : [];
        Figure? of = references.FirstOrDefault(other => other.Layout == figure.Layout) ?? references.FirstOrDefault();
        (double value, double than) = step.RatioOfRates ? (figure.OpsPerSecond, of?.OpsPerSecond ?? 0) : (figure.P50Us, of?.P50Us ?? 0);
        return than > 0 ? figure with { Ratio = value / than, Of = of!.Name } : figure with { Ratio = null, Of = null };
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
        var figure = new Figure(name, layout.Name(), step.Threads, p50, Median(samples, sample => sample.P99Us), rate, null, null,
            samples.Max(sample => sample.StealPct), samples.Max(sample => sample.ForeignPct), samples.Length, samples.Any(sample => sample.Disturbed));
        return Compared(figure, step, _figures);
    }

    private static double Median(Sample[] samples, Func<Sample, double> of)
    {
        double[] sorted = [.. samples.Select(of).Order()];
        int middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
