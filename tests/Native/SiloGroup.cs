using System.Diagnostics;
using Rum.Cluster.Tests;

namespace Rum.Native.Tests;

/// <summary>Three silos as processes, of which the first holds the council. They can be stopped, killed and started again.</summary>
public sealed class SiloGroup : IAsyncDisposable
{
    /// <summary>How many.</summary>
    public const int Count = 3;

    private readonly string _folder = Directory.CreateTempSubdirectory("rum-silos-").FullName;
    private readonly Process?[] _silos = new Process?[Count];
    private readonly StringWriter _log = new();
    private readonly int[] _ports = [Ports.Free(), Ports.Free(), Ports.Free()];

    private SiloGroup() => File.WriteAllLines(Machines, Enumerable.Range(0, Count).Select(Address));

    /// <summary>The machines file.</summary>
    public string Machines => Path.Combine(_folder, "machines.csv");

    /// <summary>What a program of programs/cluster.c must know.</summary>
    public (string Name, string Value)[] Settings =>
    [
        ("RUM_MACHINES", Machines), ("RUM_TEST_SILOS", string.Join(' ', Enumerable.Range(0, Count).Select(Address))),
        ("RUM_TEST_PIDS", string.Join(' ', _silos.Select(silo => silo!.Id))),
    ];

    /// <summary>Starts all and waits until they are ready.</summary>
    public static async Task<SiloGroup> StartAsync()
    {
        var group = new SiloGroup();
        for (int i = 0; i < Count; i++) group.Start(i);
        for (int i = 0; i < Count; i++) await group.ReadyAsync(i);
        // Others' users must be able to read the addresses.
        File.SetUnixFileMode(group._folder, (UnixFileMode)0x1ED);
        return group;
    }

    /// <summary>A silo's ip:port.</summary>
    public string Address(int silo) => $"127.0.0.1:{_ports[silo]}";

    /// <summary>Kills a silo and starts it again: it has forgotten its pages.</summary>
    public async Task RestartAsync(int silo)
    {
        _silos[silo]!.Kill();
        await _silos[silo]!.WaitForExitAsync();
        Start(silo);
        await ReadyAsync(silo);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (Process? silo in _silos)
        {
            if (silo is null) continue;
            if (!silo.HasExited) silo.Kill();
            await silo.WaitForExitAsync();
            silo.Dispose();
        }
        Directory.Delete(_folder, recursive: true);
    }

    private int HttpPort(int silo) => _ports[silo] + 80;

    private void Start(int silo)
    {
        List<string> arguments =
        [
            Path.Combine(AppContext.BaseDirectory, "rum.dll"), "silo", "run", "--machines", Machines, "--self", Address(silo), "--memory", "256M",
            "--http", $"127.0.0.1:{HttpPort(silo)}",
        ];
        if (silo == 0) arguments.AddRange(["--init", "--data", Path.Combine(_folder, "data")]);
        Process process = Process.Start(new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        process.OutputDataReceived += (_, line) => Keep(silo, line.Data);
        process.ErrorDataReceived += (_, line) => Keep(silo, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _silos[silo] = process;
    }

    private async Task ReadyAsync(int silo)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
        var waited = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                if ((await http.GetAsync($"http://127.0.0.1:{HttpPort(silo)}/health/ready")).IsSuccessStatusCode) return;
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
            {
                // It isn't there yet.
            }
            Assert.False(_silos[silo]!.HasExited || waited.Elapsed > TimeSpan.FromSeconds(60), $"silo {silo} didn't become ready:\n{_log}");
            await Task.Delay(50);
        }
    }

    private void Keep(int silo, string? line)
    {
        lock (_log) _log.WriteLine($"{silo}: {line}");
    }
}
