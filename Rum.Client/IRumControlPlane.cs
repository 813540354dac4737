namespace Rum;

/// <summary>Another way for commands to the council than by the silos, such as grains. Disposed after the clients that use it.</summary>
public interface IRumControlPlane : IAsyncDisposable
{
    /// <summary>Makes itself ready and returns the settings to connect with: where the silos are, and who carries the commands.</summary>
    ValueTask<RumClientOptions> PrepareAsync(RumClientOptions options, CancellationToken cancellationToken = default);
}
