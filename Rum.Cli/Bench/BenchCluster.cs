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
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(60);

    private readonly string _directory;
    private readonly List<SiloProcess> _silos = [];

    private BenchCluster(string directory) => _directory = directory;

    public string MachinesFile => Path.Combine(_directory, "machines.csv");

    /// <summary>For the accounting of foreign CPU time.</summary>
    public string ProcessIds => string.Join(',', _silos.Select(silo => silo.Id));

    /// <summary>Starts them and waits until all are members.</summary>
    public static BenchCluster Start(int silos, string transport, int? cpu)
    {
        var cluster = new BenchCluster(Directory.CreateTempSubdirectory("rum-bench-cluster-").FullName);
        try
        {
            int[] ports = FreePorts.Udp(silos);
            File.WriteAllLines(cluster.MachinesFile, ports.Select(port => $"127.0.0.1:{port}"));
            for (int i = 0; i < silos; i++)
            {
                List<string> arguments =
                [
                    "silo", "run", "--machines", cluster.MachinesFile, "--self", $"127.0.0.1:{ports[i]}", "--memory", "512M",
                    "--transport", transport == "udp" ? "udp" : "auto", "--http", "off", "--log-level", "warn",
                ];
                if (i == 0) arguments.AddRange(["--data", Path.Combine(cluster._directory, "data"), "--init"]);
                if (cpu is int pinned) arguments.AddRange(["--cpu", pinned.ToString(CultureInfo.InvariantCulture)]);
                cluster._silos.Add(SiloProcess.Start($"silo-{i + 1}", "", arguments));
            }
            WaitAsync(new IPEndPoint(IPAddress.Loopback, ports[0]), silos).GetAwaiter().GetResult();
            return cluster;
        }
        catch
        {
            cluster.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (SiloProcess silo in _silos) silo.StopAsync().GetAwaiter().GetResult();
        Directory.Delete(_directory, recursive: true);
    }

    private static async Task WaitAsync(IPEndPoint first, int silos)
    {
        using var council = new RemoteCouncil(first, TimeSpan.FromSeconds(2));
        var waited = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                if (await council.AskAsync(new Describe(), default) is StatusAnswer answer && answer.Status.Members.Count(m => m.Member.State == MemberState.Up) == silos) return;
            }
            catch (CouncilUnreachableException)
            {
                // Not up yet.
            }
            if (waited.Elapsed > StartPatience) throw new BenchException($"no cluster of {silos} within {StartPatience.TotalSeconds} s");
            await Task.Delay(100);
        }
    }
}
