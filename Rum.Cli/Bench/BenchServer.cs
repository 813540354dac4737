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

    private BenchServer(Process process, int port, string directory)
    {
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

    /// <summary>What RUM_DPDK says to a client of a silo on vhost.</summary>
    public string DpdkOfClient => $"--no-huge --vdev=net_virtio_user0,path={_directory}/v.sock,queues=1,queue_size=1024,mrg_rxbuf=1,mac=02:00:00:00:00:01";

    /// <summary>Starts a server and waits until it answers.</summary>
    public static BenchServer Start(string kind, int? cpu, string outDirectory)
    {
        string directory = Directory.CreateTempSubdirectory("rum-bench-").FullName;
        bool isSilo = IsSilo(kind);
        int port = isSilo ? FreePorts.Silos(1)[0] : FreePorts.Tcp(1)[0];
        string http = $"127.0.0.1:{FreePorts.Tcp(1)[0]}";
        string number = port.ToString(CultureInfo.InvariantCulture);
        string rum = Path.Combine(outDirectory, "bin", "rum");
        List<string> command = kind switch
        {
            "silo" or "orleans" => [rum, "silo", "run", "--machines", Path.Combine(directory, "machines.csv"),
                "--self", $"127.0.0.1:{number}", "--init", "--data", Path.Combine(directory, "data"), "--memory", "2G",
                "--http", http, "--plane", kind == "silo" ? "static" : "orleans"],
            "silo.vhost" => [rum, "silo", "run", "--machines", Path.Combine(directory, "machines.csv"),
                "--self", $"127.0.0.1:{number}", "--init", "--data", Path.Combine(directory, "data"), "--memory", "2G", "--http", http,
                "--transport", "dpdk", "--dpdk", $"--no-huge --vdev=net_vhost0,iface={directory}/v.sock,queues=1"],
            "redis" => ["redis-server", "--port", number, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
            "memcached" => ["memcached", "-l", "127.0.0.1", "-p", number, "-U", "0", "-m", "1024", "-t", "1", "-u", "nobody"],
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "no such server"),
        };
        File.WriteAllText(Path.Combine(directory, "machines.csv"), $"127.0.0.1:{number},00:00:00:00:00:00\n");
        if (cpu is int pinned) command = ["taskset", "-c", pinned.ToString(CultureInfo.InvariantCulture), .. command];
        var start = new ProcessStartInfo(command[0]) { RedirectStandardError = true, RedirectStandardOutput = true, WorkingDirectory = directory };
        foreach (string argument in command.Skip(1)) start.ArgumentList.Add(argument);
        Process process = Process.Start(start)!;
        var server = new BenchServer(process, port, directory) { Http = http };
        var said = new List<string>();
        process.OutputDataReceived += (_, line) => Keep(said, line.Data);
        process.ErrorDataReceived += (_, line) => Keep(said, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        long deadline = Environment.TickCount64 + StartMsMax;
        while (!server.Answers(kind))
        {
            if (process.HasExited || Environment.TickCount64 > deadline)
            {
                string why = process.HasExited ? $"ended with {process.ExitCode}" : "does not answer";
                server.Dispose();
                lock (said) throw new BenchException($"{kind} on port {port} {why}: {string.Join(" | ", said)}");
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

    private bool Answers(string kind)
    {
        try
        {
            if (IsSilo(kind))
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

    private static bool IsSilo(string kind) => kind is "silo" or "silo.vhost" or "orleans";

    private static void Keep(List<string> said, string? line)
    {
        if (line is null) return;
        lock (said)
        {
            if (said.Count < 20) said.Add(line);
        }
    }
}
