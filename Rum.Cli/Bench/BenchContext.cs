using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Rum.Cli.Bench;

/// <summary>Where the programs are, how much to measure, and the servers that stand by. All but <see cref="Stop"/> is for one thread.</summary>
internal sealed class BenchContext(string outDirectory, bool quick) : IDisposable
{
    private readonly Dictionary<string, BenchServer> _servers = [];
    private readonly string _directory = Directory.CreateTempSubdirectory("rum-bench-").FullName;
    private readonly Lock _lock = new();
    private Process? _running;
    private BenchWire? _wire, _lossyWire;
    private volatile bool _stopped;

    /// <summary>Whether a whole run must end within a minute.</summary>
    public bool Quick => quick;

    /// <summary>Whether the user wants no more.</summary>
    public bool Stopped => _stopped;

    /// <summary>MiB of remote memory that the fault patterns range over.</summary>
    public int Mib => quick ? 64 : 256;

    /// <summary>The local cache, an eighth of it.</summary>
    public int CacheMib => Mib / 8;

    /// <summary>MiB that the program of the slow-down curves ranges over.</summary>
    public int CurveMib => quick ? 64 : 128;

    /// <summary>A program of the benchmark.</summary>
    public string Program(string name) => Path.Combine(outDirectory, "bin", "bench", name);

    /// <summary>The server of this kind on this CPU, started at first use and kept until another one is wanted.</summary>
    public BenchServer Server(string kind, BenchLayout layout)
    {
        string key = kind + layout.ServerCpu();
        if (_servers.TryGetValue(key, out BenchServer? running)) return running;
        // One at a time: an idle server still wakes up now and then.
        StopServers();
        BenchServer server = BenchServer.Start(kind, layout.ServerCpu(), outDirectory, BenchServer.NeedsWire(kind) ? WireOf(kind) : null);
        _servers.Add(key, server);
        return server;
    }

    /// <summary>Two network namespaces and the wire between them, made at first use.</summary>
    public BenchWire Wire => _wire ??= new BenchWire();

    /// <summary>The same with a bridge between them, which loses frames when it is told to.</summary>
    public BenchWire LossyWire => _lossyWire ??= new BenchWire(bridged: true);

    /// <summary>What a command begins with that runs where the program of a server of this kind does.</summary>
    public string[] At(string kind) => BenchServer.NeedsWire(kind) ? WireOf(kind).AtProgram : [];

    /// <summary>Swap for one run; nothing else runs beside it.</summary>
    public SwapArea Swap()
    {
        StopServers();
        return new SwapArea(CacheMib, Mib + 64, _directory);
    }

    /// <summary>Runs <c>rum</c> itself, pinned as the layout says.</summary>
    public List<JsonElement> RunRum(BenchLayout layout, IEnumerable<string> arguments, params (string Name, string Value)[] environment) =>
        RunRum([], layout, arguments, environment);

    /// <summary>The same behind a command that says where, <see cref="At"/>.</summary>
    public List<JsonElement> RunRum(string[] at, BenchLayout layout, IEnumerable<string> arguments, params (string Name, string Value)[] environment)
    {
        string[] pinned = layout.ProgramCpu() is int cpu ? ["taskset", "-c", cpu.ToString(CultureInfo.InvariantCulture)] : [];
        return Run([.. at, .. pinned, Path.Combine(outDirectory, "bin", "rum"), .. arguments], environment);
    }

    /// <summary>Runs a command whose first word is its program.</summary>
    public List<JsonElement> Run(string[] command, params (string Name, string Value)[] environment) => RunProgram(command[0], command[1..], environment);

    /// <summary>Starts <c>rum</c> itself, pinned to a CPU, and waits until it has printed a line; it is killed when disposed.</summary>
    public BenchLoad Load(int? cpu, IEnumerable<string> arguments)
    {
        if (_stopped) throw new BenchException("stopped");
        string rum = Path.Combine(outDirectory, "bin", "rum");
        return cpu is int pinned
            ? BenchLoad.Start("taskset", ["-c", pinned.ToString(CultureInfo.InvariantCulture), rum, .. arguments])
            : BenchLoad.Start(rum, arguments);
    }

    /// <summary>Runs a program of the benchmark to its end and returns the objects that it printed, one a line.</summary>
    public List<JsonElement> RunProgram(string program, IEnumerable<string> arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        foreach ((string name, string value) in environment) start.Environment[name] = value;
        using Process process = Begin(start);
        using Keeper keeper = Keeper.Of(process);
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        lock (_lock) _running = null;
        if (process.ExitCode != 0)
            throw new BenchException(string.Create(CultureInfo.InvariantCulture,
                $"{Path.GetFileName(program)} {string.Join(' ', start.ArgumentList)} ended with {process.ExitCode}: {errors.Result.Trim()}"));
        try
        {
            return [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(ParseLine)];
        }
        catch (JsonException e)
        {
            throw new BenchException($"{Path.GetFileName(program)} printed what is no figure: {e.Message}");
        }
    }

    /// <summary>The sample in an object that a program printed.</summary>
    public static Sample ToSample(JsonElement printed) => new(
        Member(printed, "p50_us"), Member(printed, "p99_us"), Member(printed, "ops_per_s"), Member(printed, "steal_pct"), Member(printed, "foreign_pct"));

    /// <summary>Ends what runs now; nothing is begun any more. From any thread.</summary>
    public void Stop()
    {
        _stopped = true;
        lock (_lock)
        {
            try
            {
                _running?.Kill(entireProcessTree: true);
            }
            catch (InvalidOperationException)
            {
                // It ended by itself.
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        StopServers();
        _wire?.Dispose();
        _lossyWire?.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private BenchWire WireOf(string kind) => kind.Contains("lossy", StringComparison.Ordinal) ? LossyWire : Wire;

    private static JsonElement ParseLine(string line)
    {
        using JsonDocument document = JsonDocument.Parse(line);
        return document.RootElement.Clone();
    }

    private Process Begin(ProcessStartInfo start)
    {
        lock (_lock)
        {
            if (_stopped) throw new BenchException("stopped");
            try
            {
                return _running = Process.Start(start)!;
            }
            catch (Win32Exception e)
            {
                throw new BenchException($"{start.FileName} can't be started: {e.Message}");
            }
        }
    }

    /// <summary>Ends the servers that stand by.</summary>
    public void StopServers()
    {
        foreach (BenchServer server in _servers.Values) server.Dispose();
        _servers.Clear();
    }

    private static double Member(JsonElement printed, string name) =>
        printed.TryGetProperty(name, out JsonElement value) ? value.GetDouble() : 0;
}
