using System.Text.Json;
using Rum.Cli.Bench.Charts;

namespace Rum.Cli.Bench;

/// <summary><c>rum bench report</c>: table and charts of figures that were measured before, by one run or several.</summary>
internal static class FigureReport
{
    /// <summary>Reads files of lines that <c>--json</c> printed; a figure that several have counts as the last says.</summary>
    public static int Run(IReadOnlyList<string> files, string chartDirectory)
    {
        var figures = new List<Figure>();
        foreach (string file in files)
        {
            try
            {
                foreach (string line in File.ReadLines(file).Where(line => line.Length > 0)) Add(figures, Parse(line));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
            {
                throw new CommandFailedException(ExitCode.Failed, $"{file} has no figures of rum bench --json: {e.Message}");
            }
        }
        // What one run had nothing to compare with may have come out of another.
        for (int i = 0; i < figures.Count; i++)
        {
            Figure figure = figures[i];
            if (BenchCatalog.Steps.FirstOrDefault(step => step.Threads == figure.Threads && step.Names.Contains(figure.Name)) is { } step)
                figures[i] = BenchRunner.Compared(figure, step, figures);
        }
        Console.WriteLine(BenchTable.Head);
        foreach (Figure figure in figures) Console.WriteLine(BenchTable.Line(figure));
        Console.WriteLine();
        foreach (string path in ChartSet.Write(chartDirectory, figures)) Console.WriteLine(path);
        return figures.Count > 0 ? ExitCode.Ok : ExitCode.Failed;
    }

    /// <summary>A figure of a line.</summary>
    public static Figure Parse(string line) => JsonSerializer.Deserialize(line, FigureJson.Default.Figure) ?? throw new JsonException("null is no figure");

    private static void Add(List<Figure> figures, Figure figure)
    {
        int known = figures.FindIndex(other => (other.Name, other.Layout, other.Threads) == (figure.Name, figure.Layout, figure.Threads));
        if (known >= 0) figures[known] = figure;
        else figures.Add(figure);
    }
}
