using System.CommandLine;
using Rum.Cli.Bench;
using Rum.Cli.Output;
using Command = System.CommandLine.Command;

namespace Rum.Cli.Commands;

/// <summary><c>rum bench</c>.</summary>
internal static class BenchCommands
{
    public static Command Build()
    {
        var command = new ExampleCommand(
            "bench", "Measure floors, RUM and its peers in one run", "rum bench --quick", "rum bench --only fault.read --layout split --json");
        var only = new Option<string[]>("--only") { Description = "Only figures whose names start so, and what they are compared with", HelpName = "name", AllowMultipleArgumentsPerToken = true };
        var layout = new Option<string[]>("--layout") { Description = "Only these layouts", AllowMultipleArgumentsPerToken = true };
        layout.AcceptOnlyFromAmong("split", "one", "free");
        var quick = new Option<bool>("--quick") { Description = "One run of each on less memory, under a minute" };
        var json = new Option<bool>("--json") { Description = "Print one JSON object a line" };
        var repeats = new Option<int?>("--repeats") { Description = "Runs of each figure, of which the median counts (default 5; 1 with --quick)", HelpName = "n" };
        var output = new Option<string>("--out") { Description = "Where make put the programs", HelpName = "directory", DefaultValueFactory = _ => DefaultOutDirectory() };
        foreach (Option option in new Option[] { only, layout, quick, json, repeats, output }) command.Options.Add(option);
        command.SetAction(parsed => BenchCommand.Run(
            parsed.GetValue(output)!, parsed.GetValue(only) ?? [], parsed.GetValue(layout) ?? [], parsed.GetValue(quick), parsed.GetValue(json), parsed.GetValue(repeats)));
        command.Subcommands.Add(BuildRoundTrip());
        return command;
    }

    private static Command BuildRoundTrip()
    {
        var command = new ExampleCommand("round-trip", "One transport without the pager, against a running silo", "rum bench round-trip --transport udp --depth 32");
        ClusterOptions cluster = new ClusterOptions().AddTo(command);
        var transport = new Option<string>("--transport") { Description = "shm or udp", DefaultValueFactory = _ => "shm" };
        var depth = new Option<int>("--depth") { Description = "Reads outstanding, 1 to 256", DefaultValueFactory = _ => 1 };
        var operations = new Option<int>("--ops") { Description = "Reads in all", DefaultValueFactory = _ => 100_000 };
        var peers = new Option<string>("--peers") { Description = "Process ids that serve, for the accounting of foreign CPU time", HelpName = "pid,...", DefaultValueFactory = _ => "" };
        foreach (Option option in new Option[] { transport, depth, operations, peers }) command.Options.Add(option);
        command.SetAction(async (parsed, cancellation) =>
        {
            int outstanding = parsed.GetValue(depth), reads = parsed.GetValue(operations);
            if (outstanding is < 1 or > 256) throw new CommandFailedException(ExitCode.Usage, $"--depth {outstanding}: must be from 1 to 256");
            if (reads < 10) throw new CommandFailedException(ExitCode.Usage, $"--ops {reads}: must be 10 or more");
            using CouncilSession council = CouncilSession.Open(cluster, parsed, cancellation);
            return await RoundTrip.RunAsync(council, parsed.GetValue(transport)!, outstanding, reads, parsed.GetValue(peers)!);
        });
        return command;
    }

    private static string DefaultOutDirectory()
    {
        // out/lib/rum/rum.dll, or wherever make was run.
        string beside = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", ".."));
        return File.Exists(Path.Combine(beside, "bin", "bench", "fault")) ? beside : "out";
    }
}
