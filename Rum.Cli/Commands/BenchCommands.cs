using System.CommandLine;
using Rum.Cli.Bench;
using Rum.Cli.Output;
using Rum.Core;
using Command = System.CommandLine.Command;

namespace Rum.Cli.Commands;

/// <summary><c>rum bench</c>.</summary>
internal static partial class BenchCommands
{
    public static Command Build()
    {
        var command = new ExampleCommand(
            "bench", "Measure floors, RUM and its peers in one run", "rum bench --quick", "rum bench --only fault.read --layout split --json");
        var only = new Option<string[]>("--only") { Description = "Only these figures (a name, its beginning up to a dot, or a pattern with *) and what they are compared with", HelpName = "name,...", AllowMultipleArgumentsPerToken = true };
        var layout = new Option<string[]>("--layout") { Description = "Only these layouts", AllowMultipleArgumentsPerToken = true };
        layout.AcceptOnlyFromAmong("split", "one", "free");
        var quick = new Option<bool>("--quick") { Description = "One run of the most important figures on less memory, under a minute" };
        var json = new Option<bool>("--json") { Description = "Print one JSON object a line instead of a table, and draw nothing" };
        var repeats = new Option<int?>("--repeats") { Description = "Runs of each figure, of which the median counts (default 5; 1 with --quick)", HelpName = "n" };
        var output = new Option<string>("--out") { Description = "Where make put the programs", HelpName = "directory", DefaultValueFactory = _ => DefaultOutDirectory() };
        Option<string> charts = ChartsOption();
        foreach (Option option in new Option[] { only, layout, quick, json, repeats, output, charts }) command.Options.Add(option);
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(repeats) is < 1 or > 100) throw new CommandFailedException(ExitCode.Usage, $"--repeats {parsed.GetValue(repeats)}: must be from 1 to 100");
            return new BenchCommand
            {
                OutDirectory = parsed.GetValue(output)!,
                Names = new BenchNames(parsed.GetValue(only) ?? []),
                Layouts = parsed.GetValue(layout) ?? [],
                Quick = parsed.GetValue(quick),
                Json = parsed.GetValue(json),
                Repeats = parsed.GetValue(repeats),
                ChartDirectory = parsed.GetValue(charts)!,
            }.Run();
        });
        command.Subcommands.Add(BuildReport());
        command.Subcommands.Add(BuildSize());
        command.Subcommands.Add(BuildRoundTrip());
        command.Subcommands.Add(BuildDriver());
        command.Subcommands.Add(BuildClient());
        AddOrleans(command);
        return command;
    }

    static partial void AddOrleans(Command bench);

    private static Option<string> ChartsOption() => new("--charts")
    {
        Description = "Where figures.jsonl and the charts (SVG) go",
        HelpName = "directory",
        DefaultValueFactory = _ => "artifacts/bench",
    };

    private static Command BuildReport()
    {
        var command = new ExampleCommand("report", "Table and charts of figures that were measured before", "rum bench report monday.jsonl tuesday.jsonl --charts charts");
        var files = new Argument<string[]>("file") { Description = "Lines that rum bench --json printed", Arity = ArgumentArity.OneOrMore };
        Option<string> charts = ChartsOption();
        command.Arguments.Add(files);
        command.Options.Add(charts);
        command.SetAction(parsed => FigureReport.Run(parsed.GetValue(files)!, parsed.GetValue(charts)!));
        return command;
    }

    private static Command BuildSize()
    {
        var command = new ExampleCommand("size", "What a cluster of so many silos costs: state, decrees, clients' maps, balance; simulated", "rum bench size", "rum bench size 10 100 --copies 3 --shards 16384");
        var sizes = new Argument<int[]>("silos") { Description = "How many, 2 to 10,000 (default: 10 100 1000 10000, a minute or two)", Arity = ArgumentArity.ZeroOrMore };
        var copies = new Option<int>("--copies") { Description = "Copies of each page, 1 to 5", DefaultValueFactory = _ => 2 };
        var shards = new Option<int>("--shards") { Description = "Ring shards, 2 to 32,768", DefaultValueFactory = _ => Layout.DefaultShardCount };
        command.Arguments.Add(sizes);
        command.Options.Add(copies);
        command.Options.Add(shards);
        command.SetAction(parsed =>
        {
            int[] asked = parsed.GetValue(sizes) is { Length: > 0 } given ? given : [10, 100, 1000, 10_000];
            int replicas = parsed.GetValue(copies), ring = parsed.GetValue(shards);
            if (replicas is < 1 or > SiloSet.Max) throw new CommandFailedException(ExitCode.Usage, $"--copies {replicas}: must be from 1 to {SiloSet.Max}");
            if (ring is < 2 or > 32_768) throw new CommandFailedException(ExitCode.Usage, $"--shards {ring}: must be from 2 to 32,768");
            if (asked.FirstOrDefault(silos => silos < Math.Max(2, replicas) || silos > 10_000) is int wrong and not 0)
                throw new CommandFailedException(ExitCode.Usage, $"{wrong} silos: must be 2 (and as many as copies) to 10,000");
            return ClusterSize.Run(asked, ring, (byte)replicas);
        });
        return command;
    }

    private static Command BuildClient()
    {
        var command = new ExampleCommand("client", "The .NET client's calls, against a running silo", "rum bench client --machines machines.csv");
        var machines = new Option<string>("--machines") { Description = "The cluster's silos, a line each: ip[:port],mac", HelpName = "file", Required = true };
        var mib = new Option<int>("--mib") { Description = "Remote memory, MiB", DefaultValueFactory = _ => 64 };
        var cache = new Option<int>("--cache-mib") { Description = "Local cache, MiB", DefaultValueFactory = _ => 8 };
        Option<string> peers = PeersOption();
        foreach (Option option in new Option[] { machines, mib, cache, peers }) command.Options.Add(option);
        command.SetAction((parsed, _) => ClientCalls.RunAsync(parsed.GetValue(machines)!, parsed.GetValue(mib), parsed.GetValue(cache), parsed.GetValue(peers)!));
        return command;
    }

    private static Option<string> PeersOption() => new("--peers")
    {
        Description = "Process ids that serve, for the accounting of foreign CPU time",
        HelpName = "pid,...",
        DefaultValueFactory = _ => "",
    };

    private static Command BuildRoundTrip()
    {
        var command = new ExampleCommand("round-trip", "One transport without the pager, against a running silo", "rum bench round-trip --transport udp --depth 32");
        ClusterOptions cluster = new ClusterOptions().AddTo(command);
        var transport = new Option<string>("--transport") { Description = "shm, udp or dpdk (with RUM_DPDK)", DefaultValueFactory = _ => "shm" };
        var depth = new Option<int>("--depth") { Description = "Reads outstanding, 1 to 256", DefaultValueFactory = _ => 1 };
        var operations = new Option<int>("--ops") { Description = "Reads in all", DefaultValueFactory = _ => 100_000 };
        var copies = new Option<int>("--copies") { Description = "Copies of each page, 1 to 5", DefaultValueFactory = _ => 1 };
        var write = new Option<bool>("--write") { Description = "Write pages instead of reading them" };
        var apart = new Option<bool>("--apart") { Description = "Write as many pages at once as --copies says, each of one copy and at another silo" };
        Option<string> peers = PeersOption();
        foreach (Option option in new Option[] { transport, depth, operations, copies, write, apart, peers }) command.Options.Add(option);
        command.SetAction(async (parsed, cancellation) =>
        {
            int outstanding = parsed.GetValue(depth), reads = parsed.GetValue(operations);
            if (outstanding is < 1 or > 256) throw new CommandFailedException(ExitCode.Usage, $"--depth {outstanding}: must be from 1 to 256");
            if (reads < 10) throw new CommandFailedException(ExitCode.Usage, $"--ops {reads}: must be 10 or more");
            int replicas = parsed.GetValue(copies);
            if (replicas is < 1 or > SiloSet.Max) throw new CommandFailedException(ExitCode.Usage, $"--copies {replicas}: must be from 1 to {SiloSet.Max}");
            using CouncilSession council = CouncilSession.Open(cluster, parsed, cancellation);
            return await RoundTrip.RunAsync(council, parsed.GetValue(transport)!, outstanding, reads, replicas, parsed.GetValue(write), parsed.GetValue(apart), parsed.GetValue(peers)!);
        });
        return command;
    }

    private static Command BuildDriver()
    {
        var command = new ExampleCommand("driver", "The DPDK driver at both ends, and nothing above it", "rum bench driver --serve --dpdk \"--no-huge --vdev=net_vhost0,iface=/tmp/v.sock,queues=1\"");
        var dpdk = new Option<string>("--dpdk") { Description = "EAL arguments with one port, as of rum silo run", HelpName = "arguments", Required = true };
        var serve = new Option<bool>("--serve") { Description = "Answer each frame with a page, until killed" };
        var depth = new Option<int>("--depth") { Description = "Frames outstanding, 1 to 32", DefaultValueFactory = _ => 1 };
        var operations = new Option<int>("--ops") { Description = "Round trips in all", DefaultValueFactory = _ => 200_000 };
        Option<string> peers = PeersOption();
        foreach (Option option in new Option[] { dpdk, serve, depth, operations, peers }) command.Options.Add(option);
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(serve)) return DriverRounds.Serve(parsed.GetValue(dpdk)!);
            int outstanding = parsed.GetValue(depth), rounds = parsed.GetValue(operations);
            if (outstanding is < 1 or > 32) throw new CommandFailedException(ExitCode.Usage, $"--depth {outstanding}: must be from 1 to 32");
            if (rounds < 10) throw new CommandFailedException(ExitCode.Usage, $"--ops {rounds}: must be 10 or more");
            return DriverRounds.Ask(parsed.GetValue(dpdk)!, outstanding, rounds, parsed.GetValue(peers)!);
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
