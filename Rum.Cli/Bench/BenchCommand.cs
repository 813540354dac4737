using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using Rum.Cli.Bench.Charts;

namespace Rum.Cli.Bench;

/// <summary><c>rum bench</c>: floors, RUM and peers in one run.</summary>
internal sealed class BenchCommand
{
    private static readonly TimeSpan QuickBudget = TimeSpan.FromSeconds(48); // of a minute: the rest is the last step's, and the servers' end

    /// <summary>The directory that <c>make</c> fills.</summary>
    public required string OutDirectory { get; init; }

    /// <summary>Which figures.</summary>
    public required BenchNames Names { get; init; }

    /// <summary>Which layouts; empty for all.</summary>
    public required IReadOnlyList<string> Layouts { get; init; }

    /// <summary>Whether it must be over within a minute.</summary>
    public bool Quick { get; init; }

    /// <summary>Whether one object a line is printed instead of a table.</summary>
    public bool Json { get; init; }

    /// <summary>Runs of each figure; null: five, or one when quick.</summary>
    public int? Repeats { get; init; }

    /// <summary>Where figures.jsonl and the charts go.</summary>
    public required string ChartDirectory { get; init; }

    /// <summary>Runs the chosen steps; what was measured until the user stopped it is printed like everything else.</summary>
    public int Run()
    {
        if (!File.Exists(Path.Combine(OutDirectory, "bin", "bench", "fault")))
        {
            Console.Error.WriteLine($"rum bench: no benchmark programs in {Path.Combine(OutDirectory, "bin", "bench")}; run `make` first, or name its directory with --out");
            return ExitCode.Failed;
        }
        if (Names.Unknown(BenchCatalog.Steps).ToList() is { Count: > 0 } unknown)
        {
            Console.Error.WriteLine($"rum bench: nothing is called {string.Join(" or ", unknown)}; there are "
                + string.Join(", ", BenchCatalog.Steps.SelectMany(step => step.Names).Distinct()));
            return ExitCode.Usage;
        }
        using var context = new BenchContext(OutDirectory, Quick);
        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            context.Stop();
        }
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop), terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        bool terminal = !Console.IsErrorRedirected;
        var runner = new BenchRunner(context, Repeats ?? (Quick ? 1 : 5), Quick ? 0 : 3,
            line => Console.Error.Write(terminal ? $"\r\x1b[K{line}" : line + "\n"));
        if (!Json) Console.WriteLine($"{BenchTable.Machine()}\n\n{BenchTable.Head}");
        IReadOnlySet<string> wanted = Names.Wanted(BenchCatalog.Steps);
        Measure(context, runner, figure =>
        {
            if (!wanted.Contains(figure.Name)) return;
            if (terminal) Console.Error.Write("\r\x1b[K");
            Console.WriteLine(Json ? JsonSerializer.Serialize(figure, FigureJson.Default.Figure) : BenchTable.Line(figure));
        });
        if (terminal) Console.Error.Write("\r\x1b[K");
        foreach ((string name, string why) in runner.Skipped) Console.Error.WriteLine($"not measured: {name}: {why}");
        if (context.Stopped) Console.Error.WriteLine("stopped before the end; what is above was measured");
        if (!Json && runner.Figures.Count > 0)
        {
            Console.WriteLine();
            foreach (string path in ChartSet.Write(ChartDirectory, runner.Figures)) Console.WriteLine(path);
        }
        return context.Stopped ? ExitCode.Interrupted : runner.Figures.Count > 0 ? ExitCode.Ok : ExitCode.Failed;
    }

    private void Measure(BenchContext context, BenchRunner runner, Action<Figure> measured)
    {
        var clock = Stopwatch.StartNew();
        foreach ((BenchStep step, BenchLayout layout) in Names.Plan(BenchCatalog.Steps, Layouts))
        {
            if (Quick && Names.All && !step.Quick.Contains(layout)) continue;
            if (context.Stopped) return;
            if (Quick && clock.Elapsed > QuickBudget) runner.Skip($"{step.Title} {layout.Name()}", "the minute is over (--quick)");
            else runner.Run(step, layout, measured);
        }
    }
}
