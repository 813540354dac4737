using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace Rum.Silo.Http;

/// <summary>
/// Connections that were accepted elsewhere, as Kestrel takes them: a server can so be started for a connection that is there already, and stopped while the address stays taken.
/// </summary>
internal sealed class HandedConnections(ILoggerFactory loggers) : IConnectionListenerFactory, IConnectionListener
{
    private readonly SocketConnectionContextFactory _contexts =
        new(new SocketConnectionFactoryOptions(), loggers.CreateLogger("Rum.Silo.Http"));

    private readonly Channel<Socket> _accepted = Channel.CreateUnbounded<Socket>();
    private int _open;

    /// <summary>Connections that were handed over and aren't closed.</summary>
    public int Open => Volatile.Read(ref _open);

    /// <inheritdoc/>
    public EndPoint EndPoint { get; private set; } = new IPEndPoint(IPAddress.None, 0);

    /// <summary>Takes a connection over.</summary>
    public void Hand(Socket connection)
    {
        Interlocked.Increment(ref _open);
        if (_accepted.Writer.TryWrite(connection)) return;
        Interlocked.Decrement(ref _open);
        connection.Dispose();
    }

    /// <inheritdoc/>
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        EndPoint = endpoint;
        return ValueTask.FromResult<IConnectionListener>(this);
    }

    /// <inheritdoc/>
    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (await _accepted.Reader.WaitToReadAsync(cancellationToken))
        {
            if (!_accepted.Reader.TryRead(out Socket? connection)) continue;
            ConnectionContext context = _contexts.Create(connection);
            context.ConnectionClosed.Register(() => Interlocked.Decrement(ref _open));
            return context;
        }
        return null;
    }

    /// <inheritdoc/>
    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        _accepted.Writer.TryComplete();
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _accepted.Writer.TryComplete();
        while (_accepted.Reader.TryRead(out Socket? left)) left.Dispose();
        _contexts.Dispose();
        return ValueTask.CompletedTask;
    }
}
