using System.CommandLine;
using Rum.Cli.Commands;
using Rum.Cli.Output;
using Rum.Cli.Planes;
using Command = System.CommandLine.Command;

namespace Rum.Cli.Demo;

/// <summary><c>rum demo</c>.</summary>
internal static class DemoCommand
{
    public static Command Build()
    {
        var mib = new Option<int?>("--mib") { Description = "Memory that the program uses, in MiB (default: DEMO_MIB, else 512)", HelpName = "n" };
        var cache = new Option<int?>("--cache-mib") { Description = "Its local cache, in MiB (default: DEMO_CACHE_MIB, else 64)", HelpName = "n" };
        var copies = new Option<int?>("--copies") { Description = "Copies of each page, 1 to 3 (default: DEMO_COPIES, else 1)", HelpName = "n" };
        var transport = new Option<string>("--transport") { Description = "auto, shm or udp", DefaultValueFactory = _ => "auto", HelpName = "name" };
        var plane = new Option<string?>("--plane") { Description = "static or orleans (default: PLANE, else orleans where that is built in)", HelpName = "name" };
        var output = new Option<string>("--out") { Description = "Where summary.json and faults.svg go", DefaultValueFactory = _ => "artifacts/demo", HelpName = "directory" };
        var program = new Option<string?>("--program") { Description = "The program to run (default: demo, beside rum)", HelpName = "file" };
        var command = new ExampleCommand(
            "demo", "Three silos on this machine and a program on more memory than its cache", "rum demo", "rum demo --copies 2", "rum demo --mib 2048 --cache-mib 128 --transport udp")
        {
            mib, cache, copies, transport, plane, output, program,
        };
        transport.AcceptOnlyFromAmong("auto", "shm", "udp");
        command.SetAction(async (parsed, _) =>
        {
            var options = new DemoOptions(
                Number(parsed.GetValue(mib), "DEMO_MIB", 512, 1 << 20, "a number of MiB"),
                Number(parsed.GetValue(cache), "DEMO_CACHE_MIB", 64, 1 << 20, "a number of MiB"),
                Number(parsed.GetValue(copies), "DEMO_COPIES", 1, DemoRun.SiloCount, "a number of copies"),
                parsed.GetValue(transport)!,
                PlaneName(parsed.GetValue(plane)),
                parsed.GetValue(output)!,
                parsed.GetValue(program) ?? Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", "bin", "demo")));
            if (!File.Exists(options.Program))
                throw new CommandFailedException(ExitCode.Failed, $"the demo's program is not at {options.Program}; build it with make, or name it with --program");
            using var stop = new StopSignals();
            return await new DemoRun(options).RunAsync(stop.Token);
        });
        return command;
    }

    private static string PlaneName(string? said)
    {
        string? text = said ?? Environment.GetEnvironmentVariable("PLANE");
        if (string.IsNullOrEmpty(text)) return PlaneCatalog.HasOrleans ? "orleans" : "static";
        if (text == "static" || (text == "orleans" && PlaneCatalog.HasOrleans)) return text;
        throw new CommandFailedException(ExitCode.Usage, text == "orleans"
            ? "plane: orleans is not in this build: its packages could not be restored then"
            : $"plane: '{text}' is not right; expected static or orleans");
    }

    private static int Number(int? said, string variable, int otherwise, int max, string what)
    {
        string? text = said?.ToString() ?? Environment.GetEnvironmentVariable(variable);
        if (string.IsNullOrEmpty(text)) return otherwise;
        if (int.TryParse(text, out int number) && number >= 1 && number <= max) return number;
        throw new CommandFailedException(ExitCode.Usage, $"{variable}: '{text}' is not right; expected {what} from 1 to {max}");
    }
}

/// <summary>What <c>rum demo</c> was asked for.</summary>
internal sealed record DemoOptions(int Mib, int CacheMib, int Copies, string Transport, string Plane, string OutputDirectory, string Program);
