using System.Diagnostics;
using System.Globalization;
using System.Net;
using Rum.Cli.Demo;
using Rum.Core.Council;
using Rum.Silo.Council;

namespace Rum.Cli.Bench;

/// <summary>Several silos as processes, of which the first decides; gone when disposed.</summary>
internal sealed class BenchCluster : IDisposable
{
    // More aren't asked for by itself.
    private const int CouncilMax = 3;
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(60);

    private readonly string _directory;
    private readonly int[] _ports;
    private readonly List<SiloProcess> _silos = [];
    private readonly List<List<string>> _arguments = [];

    private BenchCluster(string directory, int[] ports) => (_directory, _ports) = (directory, ports);

    /// <summary>How many there are.</summary>
    public int Count => _ports.Length;

    public string MachinesFile => Path.Combine(_directory, "machines.csv");

    /// <summary>For the accounting of foreign CPU time.</summary>
    public string ProcessIds => string.Join(',', _silos.Select(silo => silo.Id));

    /// <summary>Starts them and waits until all are members, and of the <paramref name="council"/> where they are to decide together; else the first decides alone.</summary>
    public static BenchCluster Start(int silos, string transport, int? cpu, bool council = false, string memory = "512M")
    {
        int[] ports = FreePorts.Udp(silos);
        var cluster = new BenchCluster(Directory.CreateTempSubdirectory("rum-bench-cluster-").FullName, ports);
        try
        {
            File.WriteAllLines(cluster.MachinesFile, ports.Select(port => $"127.0.0.1:{port}"));
            for (int i = 0; i < silos; i++)
            {
                List<string> arguments =
                [
                    "silo", "run", "--machines", cluster.MachinesFile, "--self", $"127.0.0.1:{ports[i]}", "--memory", memory,
                    "--transport", transport == "udp" ? "udp" : "auto", "--http", "off", "--log-level", "warn",
                ];
                if (i == 0 || council) arguments.AddRange(["--data", Path.Combine(cluster._directory, $"data-{i}")]);
                if (i == 0) arguments.Add("--init");
                if (cpu is int pinned) arguments.AddRange(["--cpu", pinned.ToString(CultureInfo.InvariantCulture)]);
                cluster._arguments.Add(arguments);
                cluster._silos.Add(SiloProcess.Start($"silo-{i + 1}", "", arguments));
            }
            cluster.WaitAsync(council ? Math.Min(silos, CouncilMax) : 1).GetAwaiter().GetResult();
            return cluster;
        }
        catch
        {
            cluster.Dispose();
            throw;
        }
    }

    /// <summary>Where a silo is.</summary>
    public string Endpoint(int silo) => $"127.0.0.1:{_ports[silo]}";

    /// <summary>The process of a silo.</summary>
    public int ProcessId(int silo) => _silos[silo].Id;

    /// <summary>Ends one as kill -9 does; nothing where it has ended.</summary>
    public void Kill(int silo) => _silos[silo].Kill();

    /// <summary>Starts one that has ended; it begins empty. It is not waited for.</summary>
    public void Restart(int silo)
    {
        _silos[silo].StopAsync().GetAwaiter().GetResult();
        List<string> again = [.. _arguments[silo]];
        again.Remove("--init");
        _silos[silo] = SiloProcess.Start($"silo-{silo + 1}", "", again);
    }

    /// <summary>A way to the council, whoever leads it.</summary>
    public RemoteCouncil Council(TimeSpan patience) => new([.. _ports.Select(static port => new IPEndPoint(IPAddress.Loopback, port))], patience);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (SiloProcess silo in _silos) silo.StopAsync().GetAwaiter().GetResult();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task WaitAsync(int seats)
    {
        using RemoteCouncil council = Council(TimeSpan.FromSeconds(2));
        var waited = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                if (await council.AskAsync(new Describe(), default) is StatusAnswer { Status: { } status } && status.Members.Count(m => m.Member.State == MemberState.Up) == Count
                    && status.Council.Count(seat => seat.Seat.Seated) >= seats) return;
            }
            catch (CouncilUnreachableException)
            {
                // Not up yet.
            }
            if (waited.Elapsed > StartPatience) throw new BenchException($"no cluster of {Count} within {StartPatience.TotalSeconds} s");
            await Task.Delay(100);
        }
    }
}
