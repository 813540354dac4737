using System.CommandLine;
using System.Net;
using Rum.Core.Configuration;

namespace Rum.Cli.Commands;

/// <summary>The options of every command that asks a cluster: which one, and how to print.</summary>
internal sealed class ClusterOptions
{
    public Option<string?> Silo { get; } = new("--silo") { Description = "Ask the silo at this address (default: 127.0.0.1:7400)", HelpName = "ip[:port]" };

    public Option<string?> Machines { get; } = new("--machines")
    {
        Description = "Ask the silos of this machines file (default: RUM_MACHINES)",
        HelpName = "file",
    };

    public Option<bool> Json { get; } = new("--json") { Description = "Print JSON" };

    public ClusterOptions AddTo(Command command)
    {
        command.Options.Add(Silo);
        command.Options.Add(Machines);
        command.Options.Add(Json);
        return this;
    }

    /// <summary>The addresses to ask, in their order.</summary>
    public IReadOnlyList<IPEndPoint> Addresses(ParseResult parsed)
    {
        string? silo = parsed.GetValue(Silo);
        string? machines = parsed.GetValue(Machines);
        if (silo is not null && machines is not null) throw new CommandFailedException(ExitCode.Usage, "--silo and --machines both name a silo; say one of them");
        if (silo is not null)
        {
            if (Endpoint.TryParse(silo, Endpoint.DefaultPort, out IPEndPoint endpoint, out string error, out _)) return [endpoint];
            throw new CommandFailedException(ExitCode.Usage, $"--silo: {error}");
        }
        machines ??= Environment.GetEnvironmentVariable("RUM_MACHINES");
        return string.IsNullOrEmpty(machines)
            ? [new IPEndPoint(IPAddress.Loopback, Endpoint.DefaultPort)]
            : [.. ReadMachines(machines).Machines.Select(machine => machine.Endpoint)];
    }

    public static MachinesFile ReadMachines(string path)
    {
        string text;
        try
        {
            text = File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailedException(ExitCode.Usage, $"machines file {path} can't be read: {e.Message}");
        }
        if (MachinesFile.TryParse(path, text, out MachinesFile? file, out string error)) return file;
        throw new CommandFailedException(ExitCode.Usage, error);
    }
}
