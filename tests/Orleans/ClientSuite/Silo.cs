using Rum.Grains.Tests.Processes;

namespace Rum.Client.Tests;

/// <summary>
/// The silo of the client's own test suite, which this assembly compiles again: here on the Orleans plane, and its clients' commands go through an Orleans client.
/// </summary>
public sealed class Silo : IAsyncLifetime
{
    private readonly OrleansProcesses _silos = new(1);
    private OrleansControlPlane? _plane;
    private RumClientOptions? _options;

    /// <summary>The machines file that names it.</summary>
    public string Machines => _silos.Cluster.Machines;

    internal string Log => _silos.Cluster.Silo(0).Said;

    /// <summary>Settings for most tests: a cache that is far smaller than what they use.</summary>
    public RumClientOptions Options => _options! with { };

    public async ValueTask InitializeAsync()
    {
        _silos.Cluster.Start(0);
        await _silos.Cluster.ReadyAsync(0);
        _plane = new OrleansControlPlane(await _silos.ConnectAsync());
        _options = await _plane.PrepareAsync(new RumClientOptions { CacheBytes = 4 << 20 });
    }

    /// <summary>A client, or the reason to skip where this machine can't run one.</summary>
    public Task<RumClient> ConnectAsync(Func<RumClientOptions, RumClientOptions>? change = null) =>
        ProgramTests.ConnectAsync(change is null ? Options : change(Options));

    /// <summary>Stops the silo's process in its tracks; whoever disposes the result lets it go on.</summary>
    internal IDisposable Stall() => _silos.Cluster.Silo(0).Stall();

    public async ValueTask DisposeAsync()
    {
        if (_plane is not null) await _plane.DisposeAsync();
        await _silos.DisposeAsync();
    }
}
