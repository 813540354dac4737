using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Rum.Client.Tests;

public sealed class HostingTests(Silo silo)
{
    [Fact]
    public async Task A_host_connects_at_its_start_checks_health_and_disposes()
    {
        RumClient client;
        EventIds events = new();
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.AddProvider(events).SetMinimumLevel(LogLevel.Debug);
        builder.Services.AddRumClient(options => (options.Machines, options.CacheBytes) = (silo.Machines, 4 << 20));
        builder.Services.AddKeyedRumClient("second", options => (options.Machines, options.CacheBytes) = (silo.Machines, 4 << 20));
        builder.Services.AddHealthChecks().AddRumClient().AddRumClient("rum second", "second");
        using (IHost host = builder.Build())
        {
            HealthCheckService health = host.Services.GetRequiredService<HealthCheckService>();
            Assert.Equal(HealthStatus.Unhealthy, (await health.CheckHealthAsync()).Status);
            await host.StartAsync();
            Assert.Equal(HealthStatus.Healthy, (await health.CheckHealthAsync()).Status);
            client = host.Services.GetRequiredService<RumClient>();
            RumClient second = host.Services.GetRequiredKeyedService<RumClient>("second");
            Assert.NotSame(client, second);
            await using RumSegment segment = await second.AllocateAsync(4096);
            segment.Write(0, 1);
            await host.StopAsync();
            Assert.False(client.IsConnected);
            Assert.Equal(HealthStatus.Unhealthy, (await health.CheckHealthAsync()).Status);
            await ((IAsyncDisposable)host).DisposeAsync();
        }

        Assert.Equal([7000, 7003, 7010], events.Seen.Where(id => id is >= 7000 and < 7100).Distinct().Order());
    }

    [Fact]
    public async Task Wrong_options_stop_the_host_at_its_start()
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddRumClient(options => options.CacheBytes = 1);
        using IHost host = builder.Build();
        OptionsValidationException e = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync());
        Assert.Contains("CacheBytes is 1", e.Message);
    }

    [Fact]
    public async Task The_meter_counts_what_happens()
    {
        Dictionary<string, double> seen = [];
        using MeterListener listener = new();
        listener.InstrumentPublished = (instrument, l) => { if (instrument.Meter.Name == "Rum.Client") l.EnableMeasurementEvents(instrument); };
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => { lock (seen) seen[instrument.Name] = value; });
        listener.SetMeasurementEventCallback<double>((instrument, value, _, _) => { lock (seen) seen[instrument.Name] = value; });
        listener.Start();
        await using RumClient client = await silo.ConnectAsync();
        await using RumSegment segment = await client.AllocateAsync(8 << 20);
        await segment.WriteAsync(0, new byte[8 << 20]);
        listener.RecordObservableInstruments();
        Assert.True(seen["rum.client.faults"] > 0);
        Assert.Equal(4 << 20, seen["rum.client.cache.limit"]);
        Assert.True(seen["rum.client.cache.usage"] > 1 << 20);
        Assert.True(seen["rum.client.operation.duration"] > 0);
    }

    private sealed class EventIds : ILoggerProvider, ILogger
    {
        internal List<int> Seen { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (Seen) Seen.Add(eventId.Id);
        }

        public void Dispose()
        {
        }
    }
}
