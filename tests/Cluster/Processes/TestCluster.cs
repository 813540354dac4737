using System.Net;
using System.Text.Json;
using Rum.Core;
using Rum.Core.Council;
using Rum.Silo.Council;
using Rum.Silo.Reporting;

namespace Rum.Cluster.Tests.Processes;

/// <summary>Silos from a machines file, as real processes on the loopback.</summary>
internal sealed class TestCluster : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly RumProcess?[] _silos;
    private readonly int[] _ports;
    private readonly string[] _more;

    public TestCluster(int silos, params string[] more)
    {
        _silos = new RumProcess?[silos];
        _ports = [.. Enumerable.Range(0, silos).Select(_ => Ports.Free())];
        _more = more;
        File.WriteAllLines(Machines, _ports.Select(p => $"127.0.0.1:{p}"));
    }

    public string Machines => _directory.File("machines.csv");

    public string Data => DataOf(0);

    /// <summary>Whether every silo has a disk for the council, not the first alone.</summary>
    public bool Seats { get; init; }

    /// <summary>So many of the first silos decide and store nothing; the others store pages and have no disk.</summary>
    public int Witnesses { get; init; }

    public string DataOf(int silo) => _directory.File(silo == 0 ? "data" : $"data-{silo}");

    public IPEndPoint Address(int silo) => new(IPAddress.Loopback, _ports[silo]);

    public RumProcess Silo(int silo) => _silos[silo]!;

    /// <summary>What the silo with the council offers.</summary>
    public string CouncilMemory { get; init; } = "256M";

    /// <summary>What each of the others offers.</summary>
    public string Memory { get; init; } = "256M";

    public void Start(int silo, params string[] own)
    {
        string memory = silo < Witnesses ? "0" : silo == 0 ? CouncilMemory : Memory;
        string[] arguments = ["silo", "run", "--machines", Machines, "--self", Address(silo).ToString(), "--memory", memory, "--transport", "udp", .. _more, .. own];
        if (silo == 0) arguments = [.. arguments, "--data", Data, .. (string[])(Directory.Exists(Data) ? [] : ["--init"])];
        else if (Seats || silo < Witnesses) arguments = [.. arguments, "--data", DataOf(silo)];
        _silos[silo]?.Dispose();
        _silos[silo] = RumProcess.Start(arguments);
    }

    public async Task StartAllAsync()
    {
        for (int i = 0; i < _silos.Length; i++) Start(i);
        for (int i = 0; i < _silos.Length; i++) await ReadyAsync(i);
    }

    public Task ReadyAsync(int silo) => Silo(silo).ReadyAsync(_ports[silo]);

    public Task<(HttpStatusCode Status, string Text)> GetAsync(int silo, string path) => RumProcess.GetAsync(_ports[silo], path);

    public async Task<ClusterReport> StatusAsync()
    {
        (int exit, string output, string errors) = await RumProcess.RunAsync("status", "--machines", Machines, "--json");
        Assert.True(exit == 0, errors);
        return JsonSerializer.Deserialize(output, ReportJson.Default.ClusterReport)!;
    }

    public RemoteCouncil Council() => new([.. _ports.Select((_, silo) => Address(silo))], Eventually.Patience);

    public static async Task<SessionId> OpenSessionAsync(RemoteCouncil council, int leaseMs = 0)
    {
        Result result = await DecideAsync(council, default, new OpenSession((UInt128)Random.Shared.NextInt64() << 64 | 1, "", "test", leaseMs));
        return Assert.IsType<SessionResult>(result).Session;
    }

    public static async Task<Result> DecideAsync(RemoteCouncil council, RequestId id, Command command)
    {
        var answer = (CommandAnswer)await council.AskAsync(new CommandRequest(id, command), default);
        Assert.True(answer.Result.Error == RumError.None, answer.Result.Message);
        return answer.Result;
    }

    public void Dispose()
    {
        foreach (RumProcess? silo in _silos) silo?.Dispose();
        _directory.Dispose();
    }
}
