using System.CommandLine;
using Rum.Cli.Output;
using Rum.Core.Council;
using Rum.Silo.Reporting;
using Rum.Silo.Storage;
using Command = System.CommandLine.Command;

namespace Rum.Cli.Commands;

/// <summary><c>rum cluster</c>.</summary>
internal static class ClusterCommands
{
    public static Command Build()
    {
        var data = new Option<string>("--data") { Description = "Directory for the council's log; made if absent", HelpName = "directory", Required = true };
        var json = new Option<bool>("--json") { Description = "Print JSON" };
        var init = new ExampleCommand("init", "Give birth to a cluster, once, on the machine of the first silo", "rum cluster init --data /var/lib/rum") { data, json };
        init.SetAction(parsed => Init(parsed.GetRequiredValue(data), parsed.GetValue(json)));
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

    private static void Init(string directory, bool json)
    {
        Guid id;
        try
        {
            id = CouncilStore.Create(directory);
        }
        catch (CouncilStoreException e)
        {
            throw new CommandFailedException(ExitCode.Failed, e.Message);
        }
        if (json) Report.Json(new DoneReport("init", id.ToString()), ReportJson.Default.DoneReport);
        else Console.WriteLine($"Cluster {id} is born in {directory}.\nStart its first silo: rum silo run --machines machines.csv --data {directory} --memory 4G");
    }
}
