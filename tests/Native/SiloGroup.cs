using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Rum.Silo.Reporting;

namespace Rum.Native.Tests;

/// <summary>Three silos as processes, of which the first holds the council. They can be stopped, killed and started again.</summary>
public sealed class SiloGroup : IAsyncDisposable
{
    /// <summary>How many.</summary>
    public const int Count = 3;

    private readonly string _folder = Directory.CreateTempSubdirectory("rum-silos-").FullName;
    private readonly RumProcess?[] _silos = new RumProcess?[Count];
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
        await _silos[silo]!.KillAsync();
        _silos[silo]!.Dispose();
        Start(silo);
        await ReadyAsync(silo);
    }

    /// <summary>Waits until a segment has its copies on these silos and no others, and all in sync.</summary>
    public async Task HoldsOnAsync(string segment, params int[] silos)
    {
        string last = "";
        await Eventually.Async(
            async () =>
            {
                ClusterReport cluster = await AskAsync(ReportJson.Default.ClusterReport, "status");
                SegmentDetailsReport details = await AskAsync(ReportJson.Default.SegmentDetailsReport, "segment", "show", segment);
                last = $"{cluster.Shards} {string.Join(' ', details.Places)}";
                return cluster.Shards is { Incomplete: 0, Learning: 0 }
                    && details.Places.Select(place => cluster.Silos.SingleOrDefault(silo => silo.Id == place.Silo)?.Endpoint).Order().SequenceEqual(silos.Select(Address).Order());
            },
            $"copies of {segment} on silos {string.Join(" and ", silos)}", () => last);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        foreach (RumProcess? silo in _silos) silo?.Dispose();
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    private async Task<T> AskAsync<T>(JsonTypeInfo<T> type, params string[] command)
    {
        (int exit, string output, string errors) = await RumProcess.RunAsync([.. command, "--machines", Machines, "--json"]);
        Assert.True(exit == 0, errors);
        return JsonSerializer.Deserialize(output, type)!;
    }

    private void Start(int silo)
    {
        List<string> arguments = ["silo", "run", "--machines", Machines, "--self", Address(silo), "--memory", "256M"];
        // The others are stalled by some tests: out of its memory a silo that stands still would be read all the same.
        if (silo != 0) arguments.AddRange(["--direct-reads", "off"]);
        if (silo == 0) arguments.AddRange(["--init", "--data", Path.Combine(_folder, "data")]);
        _silos[silo] = RumProcess.Start([.. arguments]);
    }

    private Task ReadyAsync(int silo) => _silos[silo]!.ReadyAsync(_ports[silo]);
}
