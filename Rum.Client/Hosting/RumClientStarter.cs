using Microsoft.Extensions.Hosting;

namespace Rum.Hosting;

/// <summary>
/// Connects at the host's start, so that a missing silo is told there and not at the first request, and ends the session at its stop, while the services that were
/// registered before it, such as an Orleans client that carries its commands, are still there.
/// </summary>
internal sealed class RumClientStarter(RumClientConnection connection) : IHostedService
{
    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => connection.ConnectAsync(cancellationToken);

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => connection.DisposeAsync().AsTask();
}
