using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using Rum.Cli;
using Rum.FastPath.Drivers.Dpdk;

namespace Rum.Dpdk.Tests;

/// <summary>
/// A silo over a virtual wire, and programs over its other end, as processes; in a network namespace of their own where the wire is a pair of interfaces. The namespace
/// has no name and ends with them, and a keeper ends them and removes their files when the tests are killed. Skips the test, and says why, where the machine can't do it.
/// </summary>
internal sealed class DpdkCluster : IAsyncDisposable
{
    private const string SiloFace = "rums0", ClientFace = "rumc0";

    private static readonly string Root =
        typeof(DpdkCluster).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(data => data.Key == "RumRoot").Value!;

    private static readonly Lock Compiling = new();
    private static string? _programs;
    private static Keeper? _programsKeeper;

    private readonly string _folder = Directory.CreateTempSubdirectory("rum-dpdk-").FullName;
    private readonly int _port = Ports.Free();
    private readonly Way _way;
    private readonly NetworkNamespace? _namespace;
    private readonly Keeper _keeper;

    private DpdkCluster(Way way, NetworkNamespace? space)
    {
        (_way, _namespace) = (way, space);
        // Every process of the cluster has the folder in its arguments or its environment, and nobody else has.
        _keeper = new Keeper(
            "for p in /proc/[0-9]*; do [ \"$p\" = /proc/$$ ] || ! cat $p/cmdline $p/environ 2> /dev/null | grep -qaF \"$1\" || kill -9 ${p#/proc/}; done; rm -rf \"$1\"", _folder);
    }

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
            if (space is null) Assert.Skip(why);
            bool wired = way.Bridged ? space.TryAddBridgedWire(SiloFace, ClientFace, way.Mtu, out why) : space.TryAddWire(SiloFace, ClientFace, way.Mtu, out why);
            if (!wired) Assert.Skip(why);
        }
        var cluster = new DpdkCluster(way, space);
        await File.WriteAllTextAsync(cluster.Machines, $"127.0.0.1:{cluster._port}\n");
        await cluster.StartSiloAsync();
        return cluster;
    }

    public async Task StartSiloAsync()
    {
        string dpdk = string.Format(CultureInfo.InvariantCulture, _way.Silo, _way.Mtu > 0 ? SiloFace : _folder);
        Silo = Within(() => RumProcess.Start(
            "silo", "run", "--machines", Machines, "--self", $"127.0.0.1:{_port}", "--memory", "8G", "--init", "--data", Path.Combine(_folder, "data"),
            "--http", "off", "--transport", "dpdk", "--dpdk", dpdk));
        await Eventually.Async(
            () => Silo.HasExited ? throw new InvalidOperationException($"the silo ended:\n{Silo.Errors}") : Silo.Errors.Contains("joined as silo"),
            "the silo joins", () => Silo.Errors);
    }

    /// <summary>Starts a program of tests/Native/programs or apps/ over the wire's other end.</summary>
    public DpdkClient Start(string source, params string[] arguments)
    {
        string program = Compile(source);
        return Within(() => new DpdkClient(program, arguments, new Dictionary<string, string>
        {
            ["RUM_MACHINES"] = Machines,
            // What a killed one leaves is soon free again.
            ["RUM_LEASE"] = "2",
            ["RUM_CACHE"] = "8M",
            ["RUM_TRANSPORT"] = "dpdk",
            ["RUM_DPDK"] = string.Format(CultureInfo.InvariantCulture, _way.Client, _way.Mtu > 0 ? ClientFace : _folder),
        }));
    }

    /// <summary>Runs one to its end: exit code (128 + signal) and what was said.</summary>
    public async Task<(int Code, string Output)> RunAsync(string source, params string[] arguments)
    {
        using DpdkClient client = Start(source, arguments);
        return (await client.ExitAsync(100), $"{client.Said}\nthe silo:\n{Silo.Errors}");
    }

    /// <summary>Runs a command where the wire is.</summary>
    public bool TryRun(string command, out string said) => _namespace!.TryRun(command, out said);

    /// <summary>Lets a bridged wire lose so many in a thousand of the frames, each way.</summary>
    public bool TryLose(int perMille, out string why) => _namespace!.TryLose(SiloFace, ClientFace, perMille, out why);

    public async ValueTask DisposeAsync()
    {
        Silo.Dispose();
        await Task.CompletedTask;
        _keeper.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private T Within<T>(Func<T> start) => _namespace is null ? start() : _namespace.Run(start);

    private static string Compile(string source)
    {
        lock (Compiling)
        {
            _programs ??= Directory.CreateTempSubdirectory("rum-dpdk-programs-").FullName;
            _programsKeeper ??= new Keeper("rm -rf \"$1\"", _programs);
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
        if (_programs is null) return;
        _programsKeeper!.Dispose();
        Directory.Delete(_programs, recursive: true);
    };
}
