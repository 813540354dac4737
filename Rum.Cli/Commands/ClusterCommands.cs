using System.CommandLine;
using Rum.Cli.Output;
using Rum.Silo.Reporting;
using Rum.Silo.Storage;

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
        return new Command("cluster", "Make a cluster") { init };
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
