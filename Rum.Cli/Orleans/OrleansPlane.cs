using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Dashboard;
using Rum.Grains.Hosting;
using Rum.Silo;
using Rum.Silo.Configuration;
using Rum.Silo.Control;
using StackExchange.Redis;

namespace Rum.Cli.Planes;

/// <summary>An Orleans silo beside RUM's: clustering, dashboard and TLS as the settings say.</summary>
internal sealed partial class OrleansPlane : IPlane
{
    private readonly SiloSettings _settings;
    private readonly GrainGateway _gateway;

    public OrleansPlane(SiloSettings settings, ILoggerFactory loggers)
    {
        _settings = settings;
        if (settings.Self.Port + OrleansSettings.GatewayOffset > 65535)
            throw new CommandFailedException(ExitCode.Usage, $"self: on the orleans plane port {settings.Self.Port} is too high: the gateway stands {OrleansSettings.GatewayOffset} above it");
        bool canTls = false;
        HasTls(ref canTls);
        if (settings.Orleans.TlsCertificate.Length > 0 && !canTls)
            throw new CommandFailedException(ExitCode.Usage, "tls-certificate: TLS for Orleans is not in this build: Microsoft.Orleans.Connections.Security could not be restored then");
        _gateway = new GrainGateway(loggers.CreateLogger("Rum.Grains"));
    }

    /// <inheritdoc/>
    public IRequestCarrier Carrier => _gateway;

    /// <inheritdoc/>
    public async Task RunAsync(SiloNode node, ILoggerFactory loggers, CancellationToken stop)
    {
        _gateway.Attach(node.Council);
        using var dashboard = new DashboardPages(_settings, loggers.CreateLogger("Rum.Silo"));
        await new OrleansRunner(node, _gateway, loggers).RunAsync(
            Configure,
            services => node.Dashboard = services is null ? null : dashboard.Over(services),
            stop);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    private void Configure(HostApplicationBuilder builder)
    {
        builder.Services.AddRouting();
        // Routing reports to a listener that a web host would have brought along.
        builder.Services.AddSingleton(_ => new DiagnosticListener("Rum.Dashboard"));
        builder.Services.AddSingleton<DiagnosticSource>(services => services.GetRequiredService<DiagnosticListener>());
        builder.UseOrleans(silo =>
        {
            silo.Configure<EndpointOptions>(options =>
            {
                options.AdvertisedIPAddress = _settings.Self.Address;
                options.SiloPort = _settings.Self.Port;
                options.SiloListeningEndpoint = _settings.Self;
                options.GatewayPort = OrleansSettings.GatewayOf(_settings.Self).Port;
                options.GatewayListeningEndpoint = OrleansSettings.GatewayOf(_settings.Self);
            });
            Cluster(silo);
            silo.AddDashboard();
            if (_settings.Orleans.TlsCertificate.Length > 0) UseTls(silo, _settings.Orleans);
        });
    }

    private void Cluster(ISiloBuilder silo)
    {
        string connection = _settings.Orleans.Connection;
        switch (_settings.Orleans.Clustering)
        {
            case OrleansClustering.Redis:
                silo.UseRedisClustering(options => options.ConfigurationOptions = ConfigurationOptions.Parse(connection));
                break;
            case OrleansClustering.AdoNet:
                silo.UseAdoNetClustering(options => (options.Invariant, options.ConnectionString) = ("Npgsql", connection));
                break;
            default:
                silo.UseDevelopmentClustering(_settings.Self.Equals(_settings.Silos[0]) ? null : _settings.Silos[0]);
                break;
        }
    }

    static partial void HasTls(ref bool can);

    static partial void UseTls(ISiloBuilder silo, OrleansSettings settings);
}
