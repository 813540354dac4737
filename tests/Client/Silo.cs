namespace Rum.Client.Tests;

/// <summary>A development silo as a process of its own, for all tests of the assembly.</summary>
public sealed class Silo : IAsyncLifetime
{
    private readonly string _directory = Directory.CreateTempSubdirectory("rum-client-tests-").FullName;
    private RumProcess? _process;

    /// <summary>The machines file that names it.</summary>
    public string Machines => Path.Combine(_directory, "machines.csv");

    internal string Log => _process!.Said;

    /// <summary>Settings for most tests: a cache that is far smaller than what they use.</summary>
    public RumClientOptions Options => new() { Machines = Machines, CacheBytes = 4 << 20 };

    public async ValueTask InitializeAsync()
    {
        int port = Ports.Free();
        File.WriteAllText(Machines, $"127.0.0.1:{port}\n");
        _process = RumProcess.Start("silo", "run", "--dev", "--self", $"127.0.0.1:{port}", "--memory", "768M");
        await _process.ReadyAsync(port);
    }

    /// <summary>A client, or the reason to skip where this machine can't run one.</summary>
    public async Task<RumClient> ConnectAsync(Func<RumClientOptions, RumClientOptions>? change = null)
    {
        try
        {
            RumClientOptions options = Options;
            return await RumClient.ConnectAsync(change is null ? options : change(options));
        }
        catch (UserfaultfdUnavailableException e)
        {
            Assert.Skip(e.Message);
            throw;
        }
    }

    /// <summary>Stops the silo's process in its tracks; whoever disposes the result lets it go on.</summary>
    internal IDisposable Stall() => _process!.Stall();

    public ValueTask DisposeAsync()
    {
        _process?.Dispose();
        Directory.Delete(_directory, true);
        return default;
    }
}
