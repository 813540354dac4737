using System.Diagnostics;
using System.Reflection;
using Rum.FastPath.Drivers.Dpdk;

namespace Rum.Dpdk.Tests;

/// <summary>
/// A silo over a virtual wire, and programs over its other end, as processes; in a network namespace of their own where the wire is a pair of interfaces. The namespace
/// has no name and ends with them, so nothing is left however the tests end. Skips the test, and says why, where the machine can't do it.
/// </summary>
internal sealed class DpdkCluster : IAsyncDisposable
{
    private const string SiloFace = "rums0", ClientFace = "rumc0";

    private static readonly string Root =
        typeof(DpdkCluster).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(data => data.Key == "RumRoot").Value!;

    private static readonly Lock Compiling = new();
    private static string? _programs;

    private readonly string _folder = Directory.CreateTempSubdirectory("rum-dpdk-").FullName;
    private readonly int _port = Ports.Free();
    private readonly Way _way;
    private readonly NetworkNamespace? _namespace;

    private DpdkCluster(Way way, NetworkNamespace? space) => (_way, _namespace) = (way, space);

    public RumProcess Silo { get; private set; } = null!;

    private string Machines => Path.Combine(_folder, "machines.csv");

    /// <summary>Starts a silo over the wire.</summary>
    public static async Task<DpdkCluster> StartAsync(Way way)
    {
        try
        {
            DpdkLibrary.Load();
        }
        catch (DpdkException e)
        {
            Assert.Skip(e.Message);
        }
        NetworkNamespace? space = null;
        if (way.Mtu > 0)
        {
            space = NetworkNamespace.TryCreate(out string why);
            if (space is null || !space.TryAddWire(SiloFace, ClientFace, way.Mtu, out why)) Assert.Skip(why);
        }
        var cluster = new DpdkCluster(way, space);
        await File.WriteAllTextAsync(cluster.Machines, $"127.0.0.1:{cluster._port}\n");
        await cluster.StartSiloAsync();
        return cluster;
    }

    public async Task StartSiloAsync()
    {
        string dpdk = string.Format(System.Globalization.CultureInfo.InvariantCulture, _way.Silo, _way.Mtu > 0 ? SiloFace : _folder);
        Silo = Within(() => RumProcess.Start(
            "silo", "run", "--machines", Machines, "--self", $"127.0.0.1:{_port}", "--memory", "8G", "--init", "--data", Path.Combine(_folder, "data"),
            "--http", "off", "--transport", "dpdk", "--dpdk", dpdk));
        await Eventually.Async(
            () => Silo.HasExited ? throw new InvalidOperationException($"the silo ended:\n{Silo.Errors}") : Silo.Errors.Contains("joined as silo"),
            "the silo joins", () => Silo.Errors);
    }

    /// <summary>Starts a program of tests/Native/programs or apps/ over the wire's other end.</summary>
    public Process Start(string source, params string[] arguments)
    {
        string program = Compile(source);
        return Within(() =>
        {
            var info = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
            info.Environment["RUM_MACHINES"] = Machines;
            // What a killed one leaves is soon free again.
            info.Environment["RUM_LEASE"] = "2";
            info.Environment["RUM_CACHE"] = "8M";
            info.Environment["RUM_TRANSPORT"] = "dpdk";
            info.Environment["RUM_DPDK"] = string.Format(System.Globalization.CultureInfo.InvariantCulture, _way.Client, _way.Mtu > 0 ? ClientFace : _folder);
            return Process.Start(info)!;
        });
    }

    /// <summary>Runs one to its end: exit code (128 + signal) and what it printed.</summary>
    public async Task<(int Code, string Output)> RunAsync(string source, params string[] arguments)
    {
        using Process process = Start(source, arguments);
        Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(100));
        patience.Token.Register(process.Kill);
        await process.WaitForExitAsync();
        return (process.ExitCode, $"{await output}{await errors}\nthe silo:\n{Silo.Errors}");
    }

    /// <summary>Runs a command where the wire is.</summary>
    public bool TryRun(string command, out string said) => _namespace!.TryRun(command, out said);

    public async ValueTask DisposeAsync()
    {
        Silo.Dispose();
        await Task.CompletedTask;
        Directory.Delete(_folder, recursive: true);
    }

    private T Within<T>(Func<T> start) => _namespace is null ? start() : _namespace.Run(start);

    private static string Compile(string source)
    {
        lock (Compiling)
        {
            _programs ??= Directory.CreateTempSubdirectory("rum-dpdk-programs-").FullName;
            string program = Path.Combine(_programs, Path.GetFileNameWithoutExtension(source)), libraries = Path.Combine(Root, "artifacts/native/linux-x64");
            if (File.Exists(program)) return program;
            string[] arguments =
            [
                "-std=c11", "-D_GNU_SOURCE", "-O2", "-g", "-Wall", "-Wextra", "-Werror", "-I" + Path.Combine(Root, "include"), Path.Combine(Root, source), "-o", program,
                "-L" + libraries, "-lrum", "-Wl,-rpath," + libraries, "-lpthread", "-lm",
            ];
            using Process gcc = Process.Start(new ProcessStartInfo("gcc", arguments) { RedirectStandardError = true })!;
            string said = gcc.StandardError.ReadToEnd();
            gcc.WaitForExit();
            Assert.True(gcc.ExitCode == 0, $"{source} doesn't compile:\n{said}");
            return program;
        }
    }

    /// <summary>Removes the compiled programs at the end.</summary>
    static DpdkCluster() => AppDomain.CurrentDomain.ProcessExit += (_, _) =>
    {
        if (_programs is not null) Directory.Delete(_programs, recursive: true);
    };
}
