using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Rum.Cli.Bench;

/// <summary>Where the programs are, how much to measure, and the servers that stand by.</summary>
internal sealed class BenchContext(string outDirectory, bool quick) : IDisposable
{
    private readonly Dictionary<string, BenchServer> _servers = [];

    /// <summary>Whether a whole run must end within a minute.</summary>
    public bool Quick => quick;

    /// <summary>The directory that <c>make</c> fills.</summary>
    public string OutDirectory => outDirectory;

    /// <summary>MiB of remote memory that the fault patterns range over.</summary>
    public int Mib => quick ? 128 : 512;

    /// <summary>The local cache, an eighth of it.</summary>
    public int CacheMib => Mib / 8;

    /// <summary>A program of the benchmark.</summary>
    public string Program(string name) => Path.Combine(outDirectory, "bin", "bench", name);

    /// <summary>The server of this kind on this CPU, started at first use and kept until the run ends.</summary>
    public BenchServer Server(string kind, BenchLayout layout)
    {
        string key = kind + layout.ServerCpu();
        if (_servers.TryGetValue(key, out BenchServer? running)) return running;
        // One at a time: an idle server still wakes up now and then.
        StopServers();
        BenchServer server = BenchServer.Start(kind, layout.ServerCpu(), outDirectory);
        _servers.Add(key, server);
        return server;
    }

    /// <summary>Stops the servers that stand by.</summary>
    public void StopServers()
    {
        foreach (BenchServer server in _servers.Values) server.Dispose();
        _servers.Clear();
    }

    /// <summary>Runs a program of the benchmark to its end and returns the objects that it printed, one a line.</summary>
    public static List<JsonElement> RunProgram(string program, IEnumerable<string> arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        foreach ((string name, string value) in environment) start.Environment[name] = value;
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new BenchException(string.Create(CultureInfo.InvariantCulture,
                $"{Path.GetFileName(program)} {string.Join(' ', arguments)} ended with {process.ExitCode}: {errors.Result.Trim()}"));
        return [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];
    }

    /// <summary>The sample in an object that a program printed.</summary>
    public static Sample ToSample(JsonElement printed) => new(
        Member(printed, "p50_us"), Member(printed, "p99_us"), Member(printed, "ops_per_s"), Member(printed, "steal_pct"), Member(printed, "foreign_pct"));

    /// <inheritdoc/>
    public void Dispose() => StopServers();

    private static double Member(JsonElement printed, string name) =>
        printed.TryGetProperty(name, out JsonElement value) ? value.GetDouble() : 0;
}

/// <summary>A figure that could not be taken; the message says why.</summary>
internal sealed class BenchException(string message) : Exception(message);
