using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Rum;
using Rum.Hosting;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers <see cref="RumClient"/> with a host.</summary>
public static class RumClientServiceCollectionExtensions
{
    /// <summary>
    /// Adds a <see cref="RumClient"/> that connects when the host starts and is disposed when it stops. Options are validated at the start.
    /// Hosts stop services in the reverse order of registration: what uses the client until its own stop is registered after it.
    /// Resolved before the start it connects then, blocking.
    /// </summary>
    public static IServiceCollection AddRumClient(this IServiceCollection services, Action<RumClientOptions>? configure = null) =>
        Add(services, null, configure);

    /// <summary>As <see cref="AddRumClient(IServiceCollection, Action{RumClientOptions}?)"/> under a key; its options have the key's text as their name.</summary>
    public static IServiceCollection AddKeyedRumClient(this IServiceCollection services, object key, Action<RumClientOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(key);
        return Add(services, key, configure);
    }

    /// <summary>Adds a health check of the client (of a key): unhealthy when it isn't connected or its session was lost.</summary>
    public static IHealthChecksBuilder AddRumClient(
        this IHealthChecksBuilder builder, string name = "rum", object? key = null, HealthStatus? failureStatus = null, IEnumerable<string>? tags = null) =>
        builder.Add(new HealthCheckRegistration(
            name, services => new RumClientHealthCheck(services.GetRequiredKeyedService<RumClientConnection>(KeyOf(key))), failureStatus, tags));

    private static IServiceCollection Add(IServiceCollection services, object? key, Action<RumClientOptions>? configure)
    {
        string name = key?.ToString() ?? Options.Options.DefaultName;
        OptionsBuilder<RumClientOptions> options = services.AddOptions<RumClientOptions>(name).ValidateOnStart();
        if (configure is not null) options.Configure(configure);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<RumClientOptions>, RumClientOptionsValidator>());
        services.TryAddKeyedSingleton(KeyOf(key), (provider, _) => new RumClientConnection(
            provider.GetRequiredService<IOptionsMonitor<RumClientOptions>>().Get(name), provider.GetService<IRumControlPlane>(), provider.GetService<ILoggerFactory>()?.CreateLogger<RumClient>()));
        services.AddSingleton<IHostedService>(provider => new RumClientStarter(provider.GetRequiredKeyedService<RumClientConnection>(KeyOf(key))));
        if (key is null) services.TryAddSingleton(provider => provider.GetRequiredKeyedService<RumClientConnection>(KeyOf(null)).Client);
        else services.TryAddKeyedSingleton(key, (provider, _) => provider.GetRequiredKeyedService<RumClientConnection>(KeyOf(key)).Client);
        return services;
    }

    private static object KeyOf(object? key) => key ?? typeof(RumClientConnection);
}
