using System.Collections;
using System.CommandLine;
using Microsoft.Extensions.Logging;
using Rum.Cli.Output;
using Rum.Cli.Planes;
using Rum.Silo;
using Rum.Silo.Configuration;
using Rum.Silo.Logging;
using Rum.Silo.Storage;

namespace Rum.Cli.Commands;

/// <summary><c>rum silo</c>.</summary>
internal static class SiloCommands
{
    public static Command Build() => new("silo", "Offer memory") { BuildRun(), SiloMemberCommands.BuildDrain(), SiloMemberCommands.BuildRemove() };

    private static ExampleCommand BuildRun()
    {
        var command = new ExampleCommand(
            "run",
            "Run a silo until SIGINT or SIGTERM. Each option is also a setting of the file (without dashes) and a variable (RUM_SILO_MEMORY ...); the command line wins, then the environment.",
            "rum silo run --dev",
            "rum silo run --machines machines.csv --memory 4G",
            "rum silo run --machines machines.csv --self 10.0.0.1:7400 --memory 4G --data /var/lib/rum",
            "RUM_SILO_MEMORY=8G rum silo run --config /etc/rum/silo.json");
        var config = new Option<string?>("--config") { Description = "Settings file: a JSON object with the names of the options", HelpName = "file" };
        var values = new List<(SiloSetting Setting, Option<string?> Option)>();
        var switches = new List<(SiloSetting Setting, Option<bool> Option)>();
        foreach (SiloSetting setting in SiloSetting.All)
        {
            if (setting.IsSwitch)
            {
                var option = new Option<bool>(setting.Flag) { Description = setting.Help };
                switches.Add((setting, option));
                command.Options.Add(option);
            }
            else
            {
                var option = new Option<string?>(setting.Flag) { Description = setting.Help, HelpName = setting.Argument };
                values.Add((setting, option));
                command.Options.Add(option);
            }
        }
        command.Options.Add(config);
        command.SetAction(async (parsed, _) =>
        {
            var sources = new SettingSources();
            if (parsed.GetValue(config) is { } path) sources.AddFile(path);
            sources.AddEnvironment(Environment.GetEnvironmentVariables());
            foreach ((SiloSetting setting, Option<string?> option) in values)
            {
                if (parsed.GetValue(option) is { } text) sources.AddFlag(setting, text);
            }
            foreach ((SiloSetting setting, Option<bool> option) in switches)
            {
                if (parsed.GetResult(option) is { Implicit: false }) sources.AddFlag(setting, parsed.GetValue(option) ? "true" : "false");
            }
            return await RunAsync(Check(sources));
        });
        return command;
    }

    private static SiloSettings Check(SettingSources sources)
    {
        var reader = new SiloSettingsReader(sources.Values, File.ReadAllText, HostIdentity.LocalAddresses);
        SiloSettings? settings = reader.Read();
        List<string> errors = [.. sources.Errors, .. reader.Errors];
        if (errors.Count == 0) return settings!;
        throw new CommandFailedException(ExitCode.Usage, string.Join("\nrum: ", errors));
    }

    private static async Task<int> RunAsync(SiloSettings settings)
    {
        using var lines = new LineLoggerProvider(Console.Error, settings.LogLevel, settings.LogJson, TimeProvider.System);
        using ILoggerFactory loggers = LoggerFactory.Create(b => b.SetMinimumLevel(LogLevel.Trace).AddProvider(lines));
        try
        {
            await using IPlane plane = PlaneCatalog.Make(settings, loggers);
            await using SiloNode node = SiloNode.Create(settings, loggers, plane.Carrier);
            using var stop = new StopSignals();
            await node.StartAsync(loggers, stop.Token);
            await RunAsync(node, plane, settings, loggers, stop.Token);
            return ExitCode.Ok;
        }
        catch (Exception e) when (e is CouncilStoreException or SiloStartException)
        {
            throw new CommandFailedException(ExitCode.Failed, e.Message);
        }
    }

    // The plane starts when the silo serves and stops before it leaves, so that its last words find an open door.
    private static async Task RunAsync(SiloNode node, IPlane plane, SiloSettings settings, ILoggerFactory loggers, CancellationToken stop)
    {
        using var leave = new CancellationTokenSource();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var serving = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task running = node.RunAsync(
            () =>
            {
                PrintWelcome(settings);
                serving.TrySetResult();
            },
            leave.Token);
        Task beside = BesideAsync();
        await Task.WhenAny(running, beside);
        await end.CancelAsync();
        await beside;
        await running;

        async Task BesideAsync()
        {
            try
            {
                await serving.Task.WaitAsync(end.Token);
                await plane.RunAsync(node, loggers, end.Token);
            }
            catch (OperationCanceledException)
            {
                // Stopped before it served.
            }
            finally
            {
                await leave.CancelAsync();
            }
        }
    }

    private static void PrintWelcome(SiloSettings settings)
    {
        if (!settings.Dev) return;
        bool usual = settings.Self.Equals(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, Core.Configuration.Endpoint.DefaultPort));
        string silo = usual ? "" : $" --silo {settings.Self}";
        Console.WriteLine($"""
            The silo runs at {settings.Self} with {Core.Configuration.ByteSize.Format(settings.Memory)}; Ctrl-C stops it, and its memory is gone then.
            Paste into another terminal:

              rum status{silo}
            """);
        Console.WriteLine(usual
            ? "  rum demo\n\nIn a program: rum_init(NULL) finds this silo by itself."
            : $"  echo {settings.Self} > /tmp/machines.csv; export RUM_MACHINES=/tmp/machines.csv\n\nIn a program: rum_init(NULL) finds this silo by RUM_MACHINES.");
    }
}
