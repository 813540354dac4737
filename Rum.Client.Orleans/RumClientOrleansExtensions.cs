using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Rum;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers Orleans as the control plane of <see cref="RumClient"/>.</summary>
public static class RumClientOrleansExtensions
{
    /// <summary>
    /// Carries the commands of the RUM clients of these services through the Orleans client that they have, for example because they are an Orleans silo or
    /// called AddOrleansClient. The client must be connected when RUM's starts: register it first.
    /// </summary>
    public static IServiceCollection UseOrleans(this IServiceCollection services)
    {
        services.TryAddSingleton<IRumControlPlane>(static provider => new OrleansControlPlane(provider.GetRequiredService<IClusterClient>()));
        return services;
    }

    /// <summary>As <see cref="UseOrleans(IServiceCollection)"/>, through a client of its own.</summary>
    public static IServiceCollection UseOrleans(this IServiceCollection services, Action<IClientBuilder> configure)
    {
        // Hosted services start in their order, and RUM connects in its start: the Orleans client must come before it.
        ServiceDescriptor[] before = [.. services];
        services.Clear();
        services.AddOrleansClient(configure);
        foreach (ServiceDescriptor descriptor in before) services.Add(descriptor);
        return services.UseOrleans();
    }

    /// <summary>Carries the commands of RUM clients through a client that exists already.</summary>
    public static IServiceCollection UseOrleans(this IServiceCollection services, IClusterClient client)
    {
        services.TryAddSingleton<IRumControlPlane>(_ => new OrleansControlPlane(client));
        return services;
    }
}
