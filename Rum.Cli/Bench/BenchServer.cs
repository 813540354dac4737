using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Rum.Cli.Bench;

/// <summary>A server process of one figure: a silo, redis-server or memcached, pinned as the layout says.</summary>
internal sealed class BenchServer : IDisposable
{
    private const int StartMsMax = 20_000;
    private readonly Process _process;
    private readonly Keeper _keeper;
    private readonly string _directory;
    private readonly string _kind;
    private readonly List<string> _said = [];

    private BenchServer(string kind, Process process, int port, string directory)
    {
        _kind = kind;
        _process = process;
        _keeper = new Keeper("kill -9 \"$1\" 2> /dev/null; rm -rf \"$2\"", $"{process.Id}", directory);
        Port = port;
        _directory = directory;
    }

    /// <summary>The port on loopback.</summary>
    public int Port { get; }

    /// <summary>A silo's web address.</summary>
    public required string Http { get; init; }

    /// <summary>The process id, for the accounting of foreign CPU time.</summary>
    public int ProcessId => _process.Id;

    /// <summary>The machines file of a silo.</summary>
    public string MachinesFile => Path.Combine(_directory, "machines.csv");

    /// <summary>What RUM_DPDK says to its client, where it serves over DPDK.</summary>
    public string DpdkOfClient => DpdkOf(0);

    /// <summary>The same for the client of another of its ports.</summary>
    public string DpdkOf(int port) => "--no-huge --vdev=" + BenchDevices.OfProgram(_kind, _directory, port) + BenchDevices.TraceOf(_kind, Trace("client"));

    /// <summary>The trace of an end of it ("program", "client", "silo"), where it is traced.</summary>
    public string Trace(string end) => TraceIn(_directory, end);

    /// <summary>Whether it is at the silo's end of a <see cref="BenchWire"/>.</summary>
    public static bool NeedsWire(string kind) => kind.EndsWith(".packet", StringComparison.Ordinal) || kind.EndsWith(".veth", StringComparison.Ordinal);

    /// <summary>Starts a server and waits until it answers.</summary>
    public static BenchServer Start(string kind, int? cpu, string outDirectory, BenchWire? wire)
    {
        string directory = Directory.CreateTempSubdirectory("rum-bench-").FullName;
        bool isSilo = IsSilo(kind);
        int port = isSilo ? FreePorts.Silos(1)[0] : FreePorts.Tcp(1)[0];
        string address = wire is null ? "127.0.0.1" : BenchWire.SiloAddress;
        string http = $"127.0.0.1:{FreePorts.Tcp(1)[0]}";
        string number = port.ToString(CultureInfo.InvariantCulture);
        string rum = Path.Combine(outDirectory, "bin", "rum");
        List<string> command = kind switch
        {
            "silo" or "orleans" => [rum, "silo", "run", "--machines", Path.Combine(directory, "machines.csv"),
                // Room for the runs before whose memory is still being dropped.
                "--self", $"127.0.0.1:{number}", "--init", "--data", Path.Combine(directory, "data"), "--memory", kind == "silo" ? "2G" : "4G",
                "--http", http, "--plane", kind == "silo" ? "static" : "orleans"],
            "silo.vhost" or "silo.packet" or "silo.traced.vhost" or "silo.traced.packet" or "silo.veth" or "silo.lossy.packet" or "silo.eight.vhost" => [rum, "silo", "run", "--machines", Path.Combine(directory, "machines.csv"),
                "--self", $"{address}:{number}", "--init", "--data", Path.Combine(directory, "data"), "--memory", "2G", "--http", http,
                .. kind == "silo.veth" ? (string[])["--transport", "udp"] : ["--transport", "dpdk", "--dpdk", BenchDevices.AllOfSilo(kind, directory) + BenchDevices.TraceOf(kind, TraceIn(directory, "silo"))]],
            "driver.vhost" or "driver.packet" => [rum, "bench", "driver", "--serve", "--dpdk", BenchDevices.AllOfSilo(kind, directory)],
            "redis" => ["redis-server", "--port", number, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
            "memcached" => ["memcached", "-l", "127.0.0.1", "-p", number, "-U", "0", "-m", "1024", "-t", "1", "-u", "nobody"],
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "no such server"),
        };
        File.WriteAllText(Path.Combine(directory, "machines.csv"), $"{address}:{number},00:00:00:00:00:00\n");
        if (cpu is int pinned) command = ["taskset", "-c", pinned.ToString(CultureInfo.InvariantCulture), .. command];
        if (wire is not null) command = [.. wire.AtSilo, .. command];
        var start = new ProcessStartInfo(command[0]) { RedirectStandardError = true, RedirectStandardOutput = true, WorkingDirectory = directory };
        foreach (string argument in command.Skip(1)) start.ArgumentList.Add(argument);
        Process process = Process.Start(start)!;
        var server = new BenchServer(kind, process, port, directory) { Http = http };
        process.OutputDataReceived += (_, line) => server.Keep(line.Data);
        process.ErrorDataReceived += (_, line) => server.Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        long deadline = Environment.TickCount64 + StartMsMax;
        while (!server.Answers())
        {
            if (process.HasExited || Environment.TickCount64 > deadline)
            {
                string why = process.HasExited ? $"ended with {process.ExitCode}" : "does not answer";
                server.Dispose();
                lock (server._said) throw new BenchException($"{kind} on port {port} {why}: {string.Join(" | ", server._said)}");
            }
            Thread.Sleep(20);
        }
        return server;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(); // a benchmark's server keeps nothing
            _process.WaitForExit();
        }
        _keeper.Dispose();
        _process.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private bool Answers()
    {
        // Where its web page can't be reached, or there is none.
        if (NeedsWire(_kind) || _kind.StartsWith("driver", StringComparison.Ordinal))
            lock (_said) return _said.Exists(line => line.Contains(IsSilo(_kind) ? "joined as silo" : DriverRounds.Ready, StringComparison.Ordinal));
        try
        {
            if (IsSilo(_kind))
            {
                // Its council answers before it has joined; only then is there memory.
                using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
                using HttpResponseMessage ready = http.Send(new HttpRequestMessage(HttpMethod.Get, $"http://{Http}/health/ready"));
                return ready.IsSuccessStatusCode;
            }
            using var probe = new TcpClient();
            probe.Connect(IPAddress.Loopback, Port);
            return true;
        }
        catch (Exception e) when (e is SocketException or HttpRequestException or TaskCanceledException)
        {
            return false;
        }
    }

    private static string TraceIn(string directory, string end) => Path.Combine(directory, end + ".trace");

    private static bool IsSilo(string kind) => kind == "orleans" || kind.StartsWith("silo", StringComparison.Ordinal);

    private void Keep(string? line)
    {
        if (line is null) return;
        lock (_said)
        {
            if (_said.Count < 20) _said.Add(line);
        }
    }
}
