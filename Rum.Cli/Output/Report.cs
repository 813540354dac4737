using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Spectre.Console;

namespace Rum.Cli.Output;

/// <summary>Writes results to stdout: a table for people or JSON for programs.</summary>
internal static class Report
{
    public static void Json<T>(T value, JsonTypeInfo<T> type) => System.Console.WriteLine(JsonSerializer.Serialize(value, type));

    /// <summary>A table without frame; columns whose name starts with '>' are right-aligned.</summary>
    public static void Table(IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string>> rows)
    {
        var table = new Table().Border(TableBorder.None);
        foreach (string column in columns)
        {
            bool right = column.StartsWith('>');
            var header = new TableColumn(new Text(right ? column[1..] : column, new Style(decoration: Decoration.Bold))).NoWrap();
            table.AddColumn(right ? header.RightAligned() : header);
        }
        foreach (IReadOnlyList<string> row in rows) table.AddRow(row.Select(cell => new Text(cell)));
        Console().Write(table);
    }

    // A pipe has no width: lines must not be broken there.
    private static IAnsiConsole Console()
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = System.Console.IsOutputRedirected ? AnsiSupport.No : AnsiSupport.Detect,
            Out = new AnsiConsoleOutput(System.Console.Out),
        });
        if (System.Console.IsOutputRedirected) console.Profile.Width = 400;
        return console;
    }
}
