using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Rum.Core;
using Rum.Silo;
using Rum.Silo.Configuration;

namespace Rum.Grains.Tests.Processes;

/// <summary>An Orleans silo of somebody's own, this process, with a silo of RUM and a client of RUM in it.</summary>
public sealed class CohostTests
{
    private const int StallSeconds = 5;
    private static readonly TimeSpan StoodStill = TimeSpan.FromSeconds(StallSeconds / 2.0);

    [Fact]
    public async Task A_silo_whose_threads_all_wait_five_seconds_for_a_page_is_not_declared_dead()
    {
        await using var silos = new OrleansProcesses(2);
        await silos.StartAsync();
        var fatal = new Fatal();
        using IHost cohost = Cohost(silos.Cluster.Address(0), fatal);
        await cohost.StartAsync().WaitAsync(Eventually.Patience);
        await Eventually.Async(async () => await silos.ActiveAsync(0) == 3, "the co-hosted silo is in Orleans' cluster");
        SiloAddress own = cohost.Services.GetRequiredService<ILocalSiloDetails>().SiloAddress;

        var options = new RumClientOptions { Machines = silos.Cluster.Machines, CacheBytes = 4 << 20, Lease = TimeSpan.FromMinutes(2) };
        await using RumClient client = await ProgramTests.ConnectAsync(options);
        ushort silo = (ushort)(await silos.Cluster.StatusAsync()).Silos.Where(s => s.Endpoint == silos.Cluster.Address(1).ToString()).Select(s => s.Id).Single();
        await using RumSegment segment = await client.AllocateAsync(16 << 20, new RumAllocation { Silo = silo });
        byte[] sevens = new byte[1 << 20];
        sevens.AsSpan().Fill(7);
        for (long at = 0; at < segment.Length; at += sevens.Length) await segment.WriteAsync(at, sevens);
        await segment.FlushAsync();
        Assert.False(segment.TryPin(0, 1, out _));

        // While a collection waits for a thread that waits for a page nothing managed runs here: who ends the stall is another process.
        TimeSpan longest = TimeSpan.Zero;
        byte read = 0;
        using (silos.Cluster.Silo(1).Stall())
        using (Process end = Process.Start("/bin/sh", ["-c", $"sleep {StallSeconds}; kill -CONT {silos.Cluster.Silo(1).Id}"]))
        {
            Thread reader = new(() => read = segment.DangerousGetSpan(0, 1)[0]);
            reader.Start();
            while (!reader.Join(0))
            {
                long start = Stopwatch.GetTimestamp();
                GC.Collect(0);
                TimeSpan took = Stopwatch.GetElapsedTime(start);
                if (took > longest) longest = took;
            }
            await end.WaitForExitAsync();
        }
        Assert.Equal(7, read);
        Assert.True(longest > StoodStill, $"the process stood still for {longest.TotalSeconds:F1} s only");

        // Each of the others hears from it again, under the address it had, and it was told nothing fatal.
        for (int i = 0; i < 2; i++)
        {
            int asked = i;
            await Eventually.Async(async () => await silos.ActiveAsync(asked) == 3, $"silo {i} counts three silos");
        }
        ClusterMembers members = await cohost.Services.GetRequiredService<IGrainFactory>().GetGrain<IClusterGrain>(0).MembersAsync();
        Assert.Equal(3, members.Members.Length);
        Assert.Equal(SiloStatus.Active, cohost.Services.GetRequiredService<IClusterMembershipService>().CurrentSnapshot.GetSiloStatus(own));
        Assert.Null(fatal.Cause);
        Assert.DoesNotContain("rejoins", silos.Cluster.Silo(1).Said);
        await cohost.StopAsync();
    }

    private static IHost Cohost(IPEndPoint first, Fatal fatal)
    {
        var self = new IPEndPoint(IPAddress.Loopback, Ports.Free());
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<IFatalErrorHandler>(fatal);
        builder.UseOrleans(silo => silo
            .UseDevelopmentClustering(first)
            .Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = ("rum", "rum"))
            .Configure<EndpointOptions>(options =>
            {
                options.AdvertisedIPAddress = self.Address;
                options.SiloPort = self.Port;
                options.GatewayPort = 0;
            })
            .AddRum(new SiloSettings { Self = self, Silos = [first], Name = "cohosted", Memory = 64 << 20, Transport = SiloTransport.Udp }));
        return builder.Build();
    }

    private sealed class Fatal : IFatalErrorHandler
    {
        public string? Cause { get; private set; }

        public bool IsUnexpected(Exception exception) => exception is not ThreadAbortException;

        public void OnFatalException(object? sender = null, string? context = null, Exception? exception = null) => Cause ??= exception?.Message ?? context ?? "unnamed";
    }
}
