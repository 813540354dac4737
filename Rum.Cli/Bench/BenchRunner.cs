namespace Rum.Cli.Bench;

/// <summary>Runs steps, repeats disturbed runs, and turns samples into figures.</summary>
internal sealed class BenchRunner(BenchContext context, int repeats, Action<string> progress)
{
    private const int ExtraRunsMax = 3;
    private readonly List<Figure> _figures = [];

    /// <summary>What has been measured.</summary>
    public IReadOnlyList<Figure> Figures => _figures;

    /// <summary>Steps that could not run, with the reason.</summary>
    public List<(string Name, string Why)> Skipped { get; } = [];

    /// <summary>Runs one step in one layout.</summary>
    public void Run(BenchStep step, BenchLayout layout)
    {
        if (step.Missing(context) is string why)
        {
            Skip(step.Name, why);
            return;
        }
        if (layout == BenchLayout.Split && Environment.ProcessorCount < 2)
        {
            Skip(step.Name + " split", "this machine has one CPU");
            return;
        }
        try
        {
            List<IReadOnlyDictionary<string, Sample>> runs = [];
            int extra = 0;
            while (runs.Count < repeats)
            {
                progress($"{step.Name} {layout.Name()} {runs.Count + 1}/{repeats}");
                IReadOnlyDictionary<string, Sample> run = step.Run(context, layout);
                if (run.Values.Any(sample => sample.Disturbed) && extra++ < ExtraRunsMax) continue;
                runs.Add(run);
            }
            foreach (string name in runs[0].Keys) _figures.Add(ToFigure(step, name, layout, [.. runs.Select(run => run[name])]));
        }
        catch (BenchException e)
        {
            Skip($"{step.Name} {layout.Name()}", e.Message);
        }
    }

    private void Skip(string name, string why)
    {
        if (!Skipped.Contains((name, why))) Skipped.Add((name, why));
    }

    private Figure ToFigure(BenchStep step, string name, BenchLayout layout, Sample[] samples)
    {
        double p50 = Median(samples, sample => sample.P50Us), rate = Median(samples, sample => sample.OpsPerSecond);
        Figure? of = step.Of is null ? null
            : _figures.Find(figure => figure.Name == step.Of && figure.Layout == layout.Name()) ?? _figures.Find(figure => figure.Name == step.Of);
        double? ratio = of is null ? null
            : step.RatioOfRates ? of.OpsPerSecond > 0 ? rate / of.OpsPerSecond : null
            : of.P50Us > 0 ? p50 / of.P50Us : null;
        return new Figure(name, layout.Name(), step.Threads, p50, Median(samples, sample => sample.P99Us), rate, ratio, of?.Name,
            samples.Max(sample => sample.StealPct), samples.Max(sample => sample.ForeignPct), samples.Length, samples.Any(sample => sample.Disturbed));
    }

    private static double Median(Sample[] samples, Func<Sample, double> of)
    {
        double[] sorted = [.. samples.Select(of).Order()];
        int middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
