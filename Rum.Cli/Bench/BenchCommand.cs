using System.Text.Json;

namespace Rum.Cli.Bench;

/// <summary><c>rum bench</c>: floors, RUM and peers in one run.</summary>
internal static class BenchCommand
{
    /// <summary>Runs the steps whose names start with one of <paramref name="only"/> (all when empty), and those that their ratios need.</summary>
    public static int Run(string outDirectory, IReadOnlyList<string> only, IReadOnlyList<string> layouts, bool quick, bool json, int? repeats)
    {
        if (!File.Exists(Path.Combine(outDirectory, "bin", "bench", "fault")))
        {
            Console.Error.WriteLine($"rum bench: no benchmark programs in {Path.Combine(outDirectory, "bin", "bench")}; run `make` first, or name its directory with --out");
            return 3;
        }
        using var context = new BenchContext(outDirectory, quick);
        ConsoleCancelEventHandler stop = (_, _) => context.StopServers();
        Console.CancelKeyPress += stop;
        bool terminal = !Console.IsErrorRedirected;
        var runner = new BenchRunner(context, repeats ?? (quick ? 1 : 5), line => Console.Error.Write(terminal ? $"\r\x1b[K{line}" : line + "\n"));
        List<BenchStep> steps = Select(only, quick);
        if (steps.Count == 0)
        {
            Console.Error.WriteLine($"rum bench: nothing is called {string.Join(" or ", only)}; there are {string.Join(", ", BenchCatalog.Steps.Select(step => step.Name))}");
            return 2;
        }
        // Layout by layout, so that a server is started once for each.
        foreach (BenchLayout layout in new[] { BenchLayout.One, BenchLayout.Split, BenchLayout.Free })
        {
            if (layouts.Count > 0 && !layouts.Contains(layout.Name())) continue;
            foreach (BenchStep step in steps)
            {
                if (!step.Layouts.Contains(layout)) continue;
                int before = runner.Figures.Count;
                runner.Run(step, layout);
                if (json)
                    foreach (Figure figure in runner.Figures.Skip(before)) Console.WriteLine(JsonSerializer.Serialize(figure, FigureJson.Default.Figure));
            }
        }
        Console.CancelKeyPress -= stop;
        if (terminal) Console.Error.Write("\r\x1b[K");
        if (!json)
        {
            Console.WriteLine(BenchReport.Machine());
            Console.WriteLine();
            Console.Write(BenchReport.Table(runner.Figures));
        }
        foreach ((string name, string why) in runner.Skipped) Console.Error.WriteLine($"not measured: {name}: {why}");
        return runner.Figures.Count > 0 ? 0 : 1;
    }

    private static List<BenchStep> Select(IReadOnlyList<string> only, bool quick)
    {
        if (only.Count == 0) return [.. BenchCatalog.Steps.Where(step => !quick || !step.Slow)];
        var names = new HashSet<string>();
        foreach (BenchStep step in BenchCatalog.Steps.Where(step => only.Any(prefix => step.Name.StartsWith(prefix, StringComparison.Ordinal))))
        {
            names.Add(step.Name);
            if (step.Of is not null) names.Add(step.Of);
        }
        // The floors that need no pager come out of one step.
        if (names.Contains("memcpy") || names.Contains("malloc.64")) names.Add("machine");
        return [.. BenchCatalog.Steps.Where(step => names.Contains(step.Name))];
    }
}
