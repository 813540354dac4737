using System.CommandLine;
using Rum.Cli.Bench;
using Rum.Cli.Output;
using Command = System.CommandLine.Command;

namespace Rum.Cli.Commands;

/// <content><c>rum bench orleans</c>.</content>
internal static partial class BenchCommands
{
    static partial void AddOrleans(Command bench)
    {
        var command = new ExampleCommand("orleans", "Grain calls of an Orleans client, against a running silo", "rum bench orleans --machines machines.csv --http 127.0.0.1:7480");
        var machines = new Option<string>("--machines") { Description = "The cluster's silos, a line each: ip[:port],mac", HelpName = "file", Required = true };
        var http = new Option<string>("--http") { Description = "Web address of the silo with the council", HelpName = "ip:port", Required = true };
        var load = new Option<bool>("--load") { Description = "Measure nothing: make and free segments, as many at a time as when it is measured, until killed" };
        Option<string> peers = PeersOption();
        foreach (Option option in new Option[] { machines, http, load, peers }) command.Options.Add(option);
        command.SetAction((parsed, _) => OrleansCalls.RunAsync(parsed.GetRequiredValue(machines), parsed.GetRequiredValue(http), parsed.GetValue(peers)!, parsed.GetValue(load)));
        bench.Subcommands.Add(command);
    }
}
