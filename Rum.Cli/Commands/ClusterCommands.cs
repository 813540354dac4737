using System.CommandLine;
using Rum.Cli.Output;
using Rum.Core;
using Rum.Core.Council;
using Rum.Silo.Reporting;
using Rum.Silo.Storage;
using Command = System.CommandLine.Command;

namespace Rum.Cli.Commands;

/// <summary><c>rum cluster</c>.</summary>
internal static class ClusterCommands
{
    // Numbers of shards have 16 bits, and each number of copies that segments ask for takes as many shards again: so there is room for four.
    private const int ShardsMin = 64, ShardsMax = 16_384;

    public static Command Build()
    {
        var data = new Option<string>("--data") { Description = "Directory for the council's log; made if absent", HelpName = "directory", Required = true };
        var copies = new Option<int>("--copies") { Description = "Copies of each page of segments that don't ask for a number: 1 to 5", HelpName = "n", DefaultValueFactory = static _ => 1 };
        var shards = new Option<int>("--shards") { Description = $"Shards that memory is spread over, for good: {ShardsMin} to {ShardsMax}, 64 for each silo that there may be one day", HelpName = "n", DefaultValueFactory = static _ => Layout.DefaultShardCount };
        var json = new Option<bool>("--json") { Description = "Print JSON" };
        var init = new ExampleCommand("init", "Give birth to a cluster, once, on the machine of the first silo", "rum cluster init --data /var/lib/rum", "rum cluster init --data /var/lib/rum --copies 2") { data, copies, shards, json };
        init.SetAction(parsed => Init(parsed.GetRequiredValue(data), parsed.GetValue(copies), parsed.GetValue(shards), parsed.GetValue(json)));
        return new Command("cluster", "Make a cluster, and say how large its council may be") { init, BuildCouncil() };
    }

    private static ExampleCommand BuildCouncil()
    {
        var seats = new Argument<int>("silos") { Description = "1, 3 or 5" };
        var command = new ExampleCommand(
            "council", "How many silos the council has at most; it grows as silos with a data directory are there", "rum cluster council 5") { seats };
        ClusterOptions options = new ClusterOptions().AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            using CouncilSession council = CouncilSession.Open(options, parsed, cancellation);
            int wanted = parsed.GetValue(seats);
            await council.DecideAsync(new LimitCouncil(wanted));
            if (parsed.GetValue(options.Json)) Report.Json(new DoneReport("council", $"{wanted}"), ReportJson.Default.DoneReport);
            else Console.WriteLine($"The council has at most {wanted} silos from now on; rum status shows it.");
        });
        return command;
    }

    private static void Init(string directory, int copies, int shards, bool json)
    {
        if (shards is < ShardsMin or > ShardsMax) throw new CommandFailedException(ExitCode.Usage, $"--shards {shards}: must be from {ShardsMin} to {ShardsMax}");
        if (copies is < 1 or > SiloSet.Max) throw new CommandFailedException(ExitCode.Usage, $"--copies {copies}: a page has 1 to {SiloSet.Max} copies");
        Guid id;
        try
        {
            id = CouncilStore.Create(directory, (byte)copies, shards);
        }
        catch (CouncilStoreException e)
        {
            throw new CommandFailedException(ExitCode.Failed, e.Message);
        }
        if (json) Report.Json(new DoneReport("init", id.ToString()), ReportJson.Default.DoneReport);
        else Console.WriteLine($"Cluster {id} is born in {directory}.\nStart its first silo: rum silo run --machines machines.csv --data {directory} --memory 4G");
    }
}
