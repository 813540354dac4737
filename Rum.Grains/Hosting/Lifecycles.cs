using Microsoft.Extensions.Logging;
using Rum.Silo;

namespace Rum.Grains.Hosting;

/// <summary>Opens the gateway when this Orleans silo takes calls, and closes it before it stops taking them.</summary>
internal sealed class GatewayOpener(GrainGateway gateway, IGrainFactory grains) : ILifecycleParticipant<ISiloLifecycle>
{
    /// <inheritdoc/>
    public void Participate(ISiloLifecycle lifecycle) => lifecycle.Subscribe(
        nameof(GatewayOpener),
        ServiceLifecycleStage.Active + 1,
        _ =>
        {
            gateway.Open(grains);
            return Task.CompletedTask;
        },
        _ =>
        {
            gateway.Close();
            return Task.CompletedTask;
        });
}

/// <summary>Runs a silo of RUM inside of an Orleans silo: from before it joins until after it has left.</summary>
internal sealed class CohostedSilo(SiloNode node, GrainCallCounters counters, ILoggerFactory loggers) : ILifecycleParticipant<ISiloLifecycle>
{
    private readonly CancellationTokenSource _leave = new();
    private Task _running = Task.CompletedTask;

    /// <inheritdoc/>
    public void Participate(ISiloLifecycle lifecycle) => lifecycle.Subscribe(nameof(CohostedSilo), ServiceLifecycleStage.First, StartAsync, StopAsync);

    private async Task StartAsync(CancellationToken cancellation)
    {
        counters.PublishTo(node.Metrics);
        await node.StartAsync(loggers, cancellation);
        var serving = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _running = node.RunAsync(serving.SetResult, _leave.Token);
        await (await Task.WhenAny(serving.Task, _running)).WaitAsync(cancellation);
    }

    private async Task StopAsync(CancellationToken cancellation)
    {
        await _leave.CancelAsync();
        await _running;
    }
}
