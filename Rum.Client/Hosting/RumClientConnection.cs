using Microsoft.Extensions.Logging;

namespace Rum.Hosting;

/// <summary>The one connection behind a registration: made once, by the host's start or by whoever resolves the client first.</summary>
internal sealed class RumClientConnection(RumClientOptions options, IRumControlPlane? plane, ILogger? logger) : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private Task<RumClient>? _connecting;

    /// <summary>The client, if it is connected.</summary>
    internal RumClient? Current => Volatile.Read(ref _connecting) is { IsCompletedSuccessfully: true } done ? done.Result : null;

    /// <summary>The client; blocks while it connects.</summary>
    internal RumClient Client => ConnectAsync(CancellationToken.None).GetAwaiter().GetResult();

    internal Task<RumClient> ConnectAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            // A failed attempt isn't kept: the next one may succeed.
            if (_connecting is null or { IsFaulted: true } or { IsCanceled: true }) _connecting = StartAsync(cancellationToken);
            return _connecting;
        }
    }

    private async Task<RumClient> StartAsync(CancellationToken cancellationToken)
    {
        RumClientOptions prepared = plane is null ? options : await plane.PrepareAsync(options, cancellationToken).ConfigureAwait(false);
        return await RumClient.ConnectAsync(prepared, logger, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Current is { } client) await client.DisposeAsync().ConfigureAwait(false);
    }
}
