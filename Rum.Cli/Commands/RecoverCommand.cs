using System.CommandLine;
using System.Net;
using Rum.Cli.Output;
using Rum.Core.Council;
using Rum.Silo.Council;
using Rum.Silo.Reporting;
using Rum.Silo.Storage;
using Command = System.CommandLine.Command;

namespace Rum.Cli.Commands;

/// <summary><c>rum recover</c>: a cluster whose council has lost its majority for good goes on from one disk.</summary>
internal static class RecoverCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public static Command Build()
    {
        var accept = new Option<bool>("--accept-loss") { Description = "Needed: what only the lost silos knew is given up" };
        var data = new Option<string>("--data") { Description = "The data directory of the council member to go on from; its silo must be stopped", HelpName = "directory", Required = true };
        var cluster = new Option<Guid>("--cluster") { Description = "The cluster's id, as rum status shows it: so that it is this cluster that is meant", HelpName = "id", Required = true };
        var machines = new Option<string>("--machines") { Description = "The silos, to see that no majority answers", HelpName = "file", Required = true };
        var json = new Option<bool>("--json") { Description = "Print JSON" };
        var command = new ExampleCommand(
            "recover",
            "After the loss of a council's majority: begin a new generation of the cluster from one member's disk. Sessions end; named segments stay.",
            "rum recover --accept-loss --data /var/lib/rum --machines machines.csv --cluster 6d0f2c1e-8f4b-4c1e-9d2a-0b6c5a4f3e21") { accept, data, cluster, machines, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            if (!parsed.GetValue(accept))
                throw new CommandFailedException(ExitCode.Usage, "what only the lost silos knew is lost by this, and their disks can never come back; say --accept-loss if that is meant");
            await RefuseWhileAnsweredAsync(parsed.GetRequiredValue(machines), cancellation);
            string directory = parsed.GetRequiredValue(data);
            try
            {
                (uint generation, ulong decree) = CouncilStore.Recover(directory, parsed.GetRequiredValue(cluster), Console.Error.WriteLine);
                if (parsed.GetValue(json)) Report.Json(new DoneReport("recover", $"{generation}"), ReportJson.Default.DoneReport);
                else
                {
                    Console.WriteLine(
                        $"Generation {generation} of cluster {parsed.GetRequiredValue(cluster)} goes on from decree {decree}, with the silo of {directory} as its council. Start that silo now.\n"
                        + "The data directories of the other former members belong to the past: empty them before their silos start again.");
                }
            }
            catch (CouncilStoreException e)
            {
                throw new CommandFailedException(ExitCode.Failed, e.Message);
            }
        });
        return command;
    }

    private static async Task RefuseWhileAnsweredAsync(string machines, CancellationToken cancellation)
    {
        IPEndPoint[] addresses = [.. ClusterOptions.ReadMachines(machines).Machines.Select(machine => machine.Endpoint)];
        using var council = new RemoteCouncil(addresses, Patience);
        try
        {
            // Only a leader whom a majority follows answers this.
            if (await council.AskAsync(new Describe(), cancellation) is StatusAnswer answer)
                throw new CommandFailedException(ExitCode.Failed, $"a majority of the council answers (decree {answer.Decree}): there is nothing to recover from. Nothing was changed.");
        }
        catch (CouncilUnreachableException)
        {
            // As it should be.
        }
    }
}
