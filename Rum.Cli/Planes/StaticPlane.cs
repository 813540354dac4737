using Microsoft.Extensions.Logging;
using Rum.Silo;
using Rum.Silo.Control;

namespace Rum.Cli.Planes;

/// <summary>The plane that needs nothing: silos take commands to the council themselves.</summary>
internal sealed class StaticPlane : IPlane
{
    /// <inheritdoc/>
    public IRequestCarrier? Carrier => null;

    /// <inheritdoc/>
    public async Task RunAsync(SiloNode node, ILoggerFactory loggers, CancellationToken stop)
    {
        var stopped = new TaskCompletionSource();
        await using (stop.Register(stopped.SetResult)) await stopped.Task;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
