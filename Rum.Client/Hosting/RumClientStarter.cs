using Microsoft.Extensions.Hosting;

namespace Rum.Hosting;

/// <summary>Connects at the host's start, so that a missing silo is told there and not at the first request.</summary>
internal sealed class RumClientStarter(RumClientConnection connection) : IHostedService
{
    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => connection.ConnectAsync(cancellationToken);

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
