using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using Rum.Silo.Configuration;

namespace Rum.Grains.Tests.Processes;

/// <summary>The client as a service, with Orleans as its control plane.</summary>
public sealed class RegistrationTests
{
    [Fact]
    public async Task A_host_that_says_UseOrleans_carries_its_commands_through_an_Orleans_client_of_its_own_or_one_that_it_has()
    {
        await using var silos = new OrleansProcesses(1);
        await silos.StartAsync();
        await AllocatesThroughGrainsAsync(silos, services => services.AddRumClient(o => o.CacheBytes = 4 << 20).UseOrleans(client => Connect(client, silos)));
        await AllocatesThroughGrainsAsync(silos, services => services.AddOrleansClient(client => Connect(client, silos)).AddRumClient(o => o.CacheBytes = 4 << 20).UseOrleans());
        IClusterClient connected = await silos.ConnectAsync();
        await AllocatesThroughGrainsAsync(silos, services => services.AddRumClient(o => o.CacheBytes = 4 << 20).UseOrleans(connected));
    }

    private static void Connect(IClientBuilder client, OrleansProcesses silos) => client
        .UseStaticClustering(OrleansSettings.GatewayOf(silos.Cluster.Address(0)))
        .Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = ("rum", "rum"));

    private static async Task AllocatesThroughGrainsAsync(OrleansProcesses silos, Action<IServiceCollection> register)
    {
        SortedDictionary<string, long> before = await silos.GrainCountersAsync();
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        register(builder.Services);
        IHost host = builder.Build();
        try
        {
            await host.StartAsync().WaitAsync(Eventually.Patience);
        }
        catch (UserfaultfdUnavailableException e)
        {
            Assert.Skip(e.Message);
        }
        RumClient client = host.Services.GetRequiredService<RumClient>();
        await using (RumSegment segment = await client.AllocateAsync(1 << 20, RumAllocation.Named("registered")))
        {
            segment.Write(8, 42L);
            Assert.Equal(42, segment.Read<long>(8));
        }
        Assert.True(await client.DeleteAsync("registered"));
        await host.StopAsync();
        await ((IAsyncDisposable)host).DisposeAsync();
        SortedDictionary<string, long> after = await silos.GrainCountersAsync();
        string calls = string.Join(' ', after.Where(c => c.Key != "cluster.renew" && c.Value != before[c.Key]).Select(c => $"{c.Key}={c.Value - before[c.Key]}"));
        Assert.Equal("segment.close=1 segment.create=1 segment.free=1 session.allocate=1 session.close=1 session.open=1", calls);
    }
}
