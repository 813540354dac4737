using Microsoft.Extensions.DependencyInjection;
using Orleans.Metadata;
using Orleans.Runtime;
using Rum.Core;
using Rum.Core.Council;
using Rum.Grains.Carrying;

namespace Rum.Grains.Tests.InProcess;

/// <summary>Callers and silos of different versions of the interfaces.</summary>
public sealed class VersionTests
{
    [Fact]
    public async Task An_older_caller_is_served_by_newer_silos()
    {
        await using Grid grid = await Grid.StartAsync(2, builder => builder.ConfigureSilo((_, silo) => silo.Services.AddSingleton<IGrainInterfacePropertiesProvider, Newer>()));
        SessionId session = await grid.OpenSessionAsync(600_000);
        SegmentResult segment = await grid.AllocateAsync(session, 0, 1, SegmentKey.FromName("older").Value);
        Assert.Equal(4096, (await grid.Client.GetGrain<ISegmentGrain>(GrainKeys.OfSegment(new SegmentKey(segment.Key), default)).DescribeAsync()).Size);
    }

    [Fact]
    public async Task A_newer_caller_is_refused_in_words_where_there_is_no_newer_silo()
    {
        await using Grid grid = await Grid.StartAsync(1, builder => builder.ConfigureClient(client => client.Services.AddSingleton<IGrainInterfacePropertiesProvider, Newer>()));
        var calls = new GrainCalls(grid.Client, TimeSpan.FromSeconds(2));
        GrainsUnreachableException refused = await Assert.ThrowsAsync<GrainsUnreachableException>(
            () => calls.DecideAsync(default, new OpenSession(1, "", "newer", 0), default));
        Assert.Contains("version", refused.Message);
        Assert.Equal(0, (await grid.StatusAsync()).Sessions);
    }

    private sealed class Newer : IGrainInterfacePropertiesProvider
    {
        public void Populate(Type interfaceType, GrainInterfaceType grainInterfaceType, Dictionary<string, string> properties)
        {
            if (interfaceType.Namespace == "Rum.Grains") properties[WellKnownGrainInterfaceProperties.Version] = "2";
        }
    }
}
