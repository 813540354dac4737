using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Rum.Grains;
using Rum.Grains.Hosting;
using Rum.Grains.Placement;
using Rum.Grains.Sessions;
using Rum.Silo;
using Rum.Silo.Configuration;

namespace Orleans.Hosting;

/// <summary>Adds RUM to an Orleans silo.</summary>
public static class RumSiloBuilderExtensions
{
    /// <summary>
    /// Adds a silo of RUM, its grains and their placement. It starts before Orleans joins its cluster and leaves after; programs reach it at
    /// <see cref="SiloSettings.Self"/>. Orleans' silo gets RUM's name, by which the ring finds it.
    /// </summary>
    public static ISiloBuilder AddRum(this ISiloBuilder builder, SiloSettings settings)
    {
        builder.Services.AddSingleton(services => new GrainGateway(services.GetRequiredService<ILoggerFactory>().CreateLogger("Rum.Grains")));
        builder.Services.AddSingleton(services =>
        {
            var gateway = services.GetRequiredService<GrainGateway>();
            SiloNode node = SiloNode.Create(settings, services.GetRequiredService<ILoggerFactory>(), gateway);
            gateway.Attach(node.Council);
            return node;
        });
        builder.Services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>, CohostedSilo>();
        return AddGrains(builder, settings.Name);
    }

    /// <summary>
    /// Adds the grains of a silo of RUM that runs already and outlives this Orleans host. The gateway is the one that the silo was made with.
    /// </summary>
    public static ISiloBuilder AddRum(this ISiloBuilder builder, SiloNode node, GrainGateway gateway)
    {
        // As instances: what a container is given it doesn't dispose.
        builder.Services.AddSingleton(node);
        builder.Services.AddSingleton(gateway);
        return AddGrains(builder, node.Settings.Name);
    }

    private static ISiloBuilder AddGrains(ISiloBuilder builder, string name)
    {
        builder.Services.PostConfigure<SiloOptions>(options => options.SiloName = name);
        builder.Services.TryAddSingleton<GrainCallCounters>();
        builder.Services.AddSingleton(services => new GrainCouncil(services.GetRequiredService<SiloNode>().Council));
        builder.Services.AddSingleton<GrainRing>();
        builder.Services.AddSingleton<LocalGrains>();
        builder.Services.AddSingleton<LeaseJudge>();
        builder.Services.AddSingleton<SiloHints>();
        builder.Services.AddSingleton<DeadSilos>();
        builder.Services.AddSingleton<IHostedService, RingKeeper>();
        builder.Services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>, GatewayOpener>();
        return builder.AddPlacementDirector<RingPlacement, RingPlacementDirector>();
    }
}
