namespace Rum.Tests.Web;

/// <summary>Two silos as real processes, and a program in this process that uses their memory.</summary>
public sealed class Site : IAsyncLifetime
{
    public const string SegmentName = "web-test";
    public const int Bytes = 16 << 20;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("rum-web-silos-");
    private readonly int[] _ports = [Ports.Free(), Ports.Free()];
    private readonly RumProcess?[] _silos = new RumProcess?[2];
    private RumClient? _client;
    private RumSegment? _segment;

    /// <summary>The page of the silo that holds the council.</summary>
    public Uri Page => new($"http://127.0.0.1:{_ports[0] + 80}/rum");

    internal RumProcess Second => _silos[1]!;

    public async ValueTask InitializeAsync()
    {
        string machines = Path.Combine(_directory.FullName, "machines.csv");
        File.WriteAllLines(machines, _ports.Select(port => $"127.0.0.1:{port}"));
        for (int i = 0; i < 2; i++)
        {
            string[] arguments = ["silo", "run", "--machines", machines, "--self", $"127.0.0.1:{_ports[i]}", "--memory", "256M", "--name", $"silo-{(char)('a' + i)}"];
            if (i == 0) arguments = [.. arguments, "--data", Path.Combine(_directory.FullName, "data"), "--init"];
            _silos[i] = RumProcess.Start(arguments);
        }
        for (int i = 0; i < 2; i++) await _silos[i]!.ReadyAsync(_ports[i]);
        _client = await RumClient.ConnectAsync(new RumClientOptions { Machines = machines, CacheBytes = 2 << 20 });
        _segment = await _client.AllocateAsync(Bytes, RumAllocation.Named(SegmentName));
        Touch();
    }

    /// <summary>Writes and reads every page of the segment: most of them are not in the cache.</summary>
    public void Touch()
    {
        byte[] page = new byte[4096];
        Random.Shared.NextBytes(page);
        for (long at = 0; at < Bytes; at += page.Length) _segment!.Write(at, page);
        for (long at = 0; at < Bytes; at += page.Length) _segment!.Read(at, page);
    }

    /// <summary>Ends the program before what it uses is taken away.</summary>
    public async Task DisconnectAsync()
    {
        if (_segment is not null) await _segment.DisposeAsync();
        if (_client is not null) await _client.DisposeAsync();
        (_segment, _client) = (null, null);
    }

    public async ValueTask DisposeAsync()
    {
        await DisconnectAsync();
        foreach (RumProcess? silo in _silos) silo?.Dispose();
        _directory.Delete(recursive: true);
    }
}
