using Rum.Core;
using Rum.Grains;
using Rum.Grains.Carrying;

namespace Rum;

/// <summary>
/// The control plane through an Orleans client: commands of this process's session become grain calls, made again with back-off while silos come and go. Pages,
/// views and heartbeats go between librum.so and the silos as ever. One for a process; any thread.
/// </summary>
public sealed class OrleansControlPlane : IRumControlPlane
{
    // Longer than the cluster takes to notice a silo that died.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly GrainCalls _calls;
    private readonly IGrainFactory _grains;
    private CommandGateway? _gateway;
    private string? _directory;

    /// <summary>By a connected client, which it doesn't own.</summary>
    public OrleansControlPlane(IClusterClient client)
    {
        _grains = client;
        _calls = new GrainCalls(client, Patience);
    }

    /// <inheritdoc/>
    /// <exception cref="RumUnavailableException">No grain answered.</exception>
    public async ValueTask<RumClientOptions> PrepareAsync(RumClientOptions options, CancellationToken cancellationToken = default)
    {
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_gateway is null)
            {
                string[] silos = await FindSilosAsync(cancellationToken).ConfigureAwait(false);
                _directory = Directory.CreateTempSubdirectory("rum-orleans-").FullName;
                await File.WriteAllLinesAsync(Path.Combine(_directory, "machines.csv"), silos, cancellationToken).ConfigureAwait(false);
                _gateway = new CommandGateway(_calls);
            }
            return options with { Machines = Path.Combine(_directory!, "machines.csv"), Commands = _gateway.Address.ToString() };
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_gateway is not null) await _gateway.DisposeAsync().ConfigureAwait(false);
        if (_directory is not null) Directory.Delete(_directory, recursive: true);
        _directory = null;
    }

    private async Task<string[]> FindSilosAsync(CancellationToken cancellationToken)
    {
        try
        {
            ClusterMembers members = await _calls.RetryAsync(() => _grains.GetGrain<IClusterGrain>(0).MembersAsync(), static reply => reply.Reply, cancellationToken).ConfigureAwait(false);
            return [.. members.Members.Where(m => m.Up).Select(m => m.Endpoint)];
        }
        catch (GrainsUnreachableException e)
        {
            throw RumErrors.Create(RumError.Unavailable, e.Message + ". Is the Orleans cluster running, and the client connected to it?");
        }
    }
}
