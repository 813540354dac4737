using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Rum.Silo;

namespace Rum.Grains.Hosting;

/// <summary>
/// Keeps an Orleans host beside a silo of RUM: starts one, and when it can't start or can't go on stops it and starts another, for as long as the silo runs.
/// </summary>
public sealed partial class OrleansRunner(SiloNode node, GrainGateway gateway, ILoggerFactory loggers)
{
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan FatalPatience = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan PauseMax = TimeSpan.FromSeconds(5);

    private readonly ILogger _log = loggers.CreateLogger("Rum.Grains");
    private readonly GrainCallCounters _counters = new();

    /// <summary>How often a host was started.</summary>
    public int Starts { get; private set; }

    /// <summary>Runs until stopped. <paramref name="configure"/> adds clustering and whatever else, <paramref name="started"/> hears of each host's services.</summary>
    public async Task RunAsync(Action<HostApplicationBuilder> configure, Action<IServiceProvider?> started, CancellationToken stop)
    {
        _counters.PublishTo(node.Metrics);
        TimeSpan pause = TimeSpan.FromMilliseconds(250);
        while (!stop.IsCancellationRequested)
        {
            try
            {
                IHost host = Build(configure, out Task<string> fatal);
                if (await TryRunAsync(host, fatal, started, stop)) pause = TimeSpan.FromMilliseconds(250);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            try
            {
                await Task.Delay(pause, stop);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            pause = pause * 2 > PauseMax ? PauseMax : pause * 2;
        }
    }

    private async Task<bool> TryRunAsync(IHost host, Task<string> fatal, Action<IServiceProvider?> started, CancellationToken stop)
    {
        Starts++;
        using (var patience = CancellationTokenSource.CreateLinkedTokenSource(stop))
        {
            patience.CancelAfter(StartPatience);
            try
            {
                await host.StartAsync(patience.Token).WaitAsync(patience.Token);
            }
            // Whatever keeps Orleans from starting, its clustering above all, the pages must be served on, and it is tried again.
            catch (Exception e) when (!stop.IsCancellationRequested)
            {
                LogNotStarted(e.GetBaseException().Message);
                await StopAsync(host, FatalPatience);
                return false;
            }
        }
        started(host.Services);
        LogJoined(node.Settings.Name);
        var stopped = new TaskCompletionSource();
        CancellationToken stopping = host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        await using (stop.Register(() => stopped.TrySetResult()))
        await using (stopping.Register(() => stopped.TrySetResult()))
        {
            await Task.WhenAny(fatal, stopped.Task);
        }
        started(null);
        gateway.Close();
        _counters.ActiveSilos = 0;
        await StopAsync(host, fatal.IsCompleted ? FatalPatience : StopPatience);
        return true;
    }

    private async Task StopAsync(IHost host, TimeSpan within)
    {
        using var patience = new CancellationTokenSource(within);
        try
        {
            await host.StopAsync(patience.Token).WaitAsync(within + FatalPatience);
        }
        // A host that was declared dead can't say goodbye to anybody; it is given up all the same.
        catch (Exception e)
        {
            LogNotStopped(e.GetBaseException().Message);
        }
        try
        {
            await ((IAsyncDisposable)host).DisposeAsync().AsTask().WaitAsync(FatalPatience);
        }
        catch (Exception e)
        {
            LogNotStopped(e.GetBaseException().Message);
        }
    }

    private IHost Build(Action<HostApplicationBuilder> configure, out Task<string> fatal)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { ApplicationName = "rum", DisableDefaults = true });
        builder.Services.AddSingleton<ILoggerFactory>(new QuietLoggers(loggers));
        // Signals are the silo's business.
        builder.Services.Replace(ServiceDescriptor.Singleton<IHostLifetime, NoLifetime>());
        RejoinOnFatalError handler = new(new Logger<RejoinOnFatalError>(loggers));
        builder.Services.AddSingleton<IFatalErrorHandler>(handler);
        builder.Services.AddSingleton(_counters);
        builder.UseOrleans(silo => silo.AddRum(node, gateway)
            .Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = ("rum", "rum"))
            .Configure<SiloMessagingOptions>(options => options.ResponseTimeout = TimeSpan.FromSeconds(10)));
        configure(builder);
        fatal = handler.Fatal;
        return builder.Build();
    }

    [LoggerMessage(340, LogLevel.Information, "Orleans has joined its cluster as {Name}")]
    private partial void LogJoined(string name);

    [LoggerMessage(341, LogLevel.Warning, "Orleans can't start: {Reason}; pages are served, and it is tried again")]
    private partial void LogNotStarted(string reason);

    [LoggerMessage(342, LogLevel.Debug, "the Orleans host did not stop in time: {Reason}")]
    private partial void LogNotStopped(string reason);

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
