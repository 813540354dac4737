using System.CommandLine;
using Rum.Cli.Commands;
using Rum.Cli.Demo;
using Rum.Cli.Output;

namespace Rum.Cli;

/// <summary>The command line as a whole.</summary>
internal static class RumCommand
{
    private const string Commonest = """
        rum: memory of other machines for your programs

          rum silo run --dev          start a silo on this machine to develop against
          rum demo                    see a program work on more memory than its cache holds
          rum status                  the cluster: silos, room, shards
          rum segment list            what is allocated
          rum stats                   counters of every silo

        All commands: rum --help; one of them: rum segment list --help
        """;

    public static async Task<int> RunAsync(string[] args)
    {
        ParseResult parsed = Build().Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (System.CommandLine.Parsing.ParseError error in parsed.Errors) Console.Error.WriteLine($"rum: {error.Message}");
            Console.Error.WriteLine($"See: {PathOf(parsed.CommandResult.Command)} --help");
            return ExitCode.Usage;
        }
        try
        {
            // Each command that runs for long stops by itself on a signal; the library's own handling would kill it after 2 s.
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        }
        catch (CommandFailedException e)
        {
            Console.Error.WriteLine($"rum: {e.Message}");
            return e.ExitCode;
        }
    }

    private static RootCommand Build()
    {
        var root = new RootCommand("Memory of other machines for your programs: silos offer it, programs allocate it, pages travel on demand.")
        {
            SiloCommands.Build(),
            ClusterCommands.Build(),
            RecoverCommand.Build(),
            StatusCommands.BuildStatus(),
            StatusCommands.BuildStats(),
            SegmentCommands.Build(),
            SessionCommands.Build(),
            SnapshotCommands.Build(),
            DemoCommand.Build(),
            BenchCommands.Build(),
            DpdkCommands.Build(),
        };
        root.SetAction(_ => Console.WriteLine(Commonest));
        ExamplesHelp.AddTo(root);
        return root;
    }

    private static string PathOf(Command command)
    {
        var names = new List<string>();
        for (Command? at = command; at is not null; at = at.Parents.OfType<Command>().FirstOrDefault()) names.Insert(0, at is RootCommand ? "rum" : at.Name);
        return string.Join(' ', names);
    }
}
