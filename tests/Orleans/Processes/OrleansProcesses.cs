using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Rum.Cluster.Tests.Processes;
using Rum.Core;
using Rum.Core.Council;
using Rum.Grains.Carrying;
using Rum.Silo.Configuration;
using Rum.Silo.Reporting;

namespace Rum.Grains.Tests.Processes;

/// <summary>Silos on the Orleans plane as real processes, and Orleans clients of them.</summary>
internal sealed class OrleansProcesses : IAsyncDisposable
{
    public const string Password = "swordfish";

    private readonly int _silos;
    private readonly List<IHost> _clients = [];

    public OrleansProcesses(int silos, params string[] more)
    {
        _silos = silos;
        Cluster = new TestCluster(silos, ["--plane", "orleans", "--dashboard-password", Password, .. more]) { CouncilMemory = "768M" };
    }

    public TestCluster Cluster { get; }

    public async Task StartAsync()
    {
        for (int i = 0; i < _silos; i++) Cluster.Start(i);
        for (int i = 0; i < _silos; i++) await Cluster.ReadyAsync(i);
    }

    /// <summary>An Orleans client connected to the gateways of the silos that run now.</summary>
    public async Task<IClusterClient> ConnectAsync(Action<IClientBuilder>? more = null)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.UseOrleansClient(client =>
        {
            client.UseStaticClustering([.. Enumerable.Range(0, _silos).Select(i => OrleansSettings.GatewayOf(Cluster.Address(i)))]);
            client.Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = ("rum", "rum"));
            client.UseConnectionRetryFilter(async (_, cancellation) =>
            {
                await Task.Delay(100, cancellation);
                return true;
            });
            more?.Invoke(client);
        });
        IHost host = builder.Build();
        _clients.Add(host);
        await host.StartAsync().WaitAsync(Eventually.Patience);
        return host.Services.GetRequiredService<IClusterClient>();
    }

    public async Task<GrainCalls> CallsAsync() => new(await ConnectAsync(), Eventually.Patience);

    public async Task<SortedDictionary<string, long>> GrainCountersAsync()
    {
        var sums = new SortedDictionary<string, long>(StringComparer.Ordinal);
        for (int i = 0; i < _silos; i++)
        {
            Dictionary<string, long>? counters = await CountersAsync(i);
            Assert.NotNull(counters);
            foreach ((string name, long value) in counters)
            {
                if (name.StartsWith("rum.grains.", StringComparison.Ordinal)) sums[name["rum.grains.".Length..]] = sums.GetValueOrDefault(name["rum.grains.".Length..]) + value;
            }
        }
        return sums;
    }

    /// <summary>How many active silos Orleans has, as a silo sees it; -1 when the silo doesn't say.</summary>
    public async Task<long> ActiveAsync(int silo) => await CountersAsync(silo) is { } counters ? counters["rum.orleans.silos"] : -1;

    /// <summary>A silo's counters; null when it doesn't say.</summary>
    public async Task<Dictionary<string, long>?> CountersAsync(int silo)
    {
        (HttpStatusCode status, string text) = await Cluster.GetAsync(silo, "/stats");
        return status == HttpStatusCode.OK ? JsonSerializer.Deserialize(text, ReportJson.Default.StatsReport)!.Counters.ToDictionary() : null;
    }

    public async Task<(HttpStatusCode Status, string Text)> DashboardAsync(int silo, string path, string? password)
    {
        using var http = new HttpClient { Timeout = Eventually.Patience };
        if (password is not null) http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes("rum:" + password)));
        using HttpResponseMessage answer = await http.GetAsync($"http://127.0.0.1:{Cluster.Address(silo).Port + 80}/dashboard/{path}");
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    public async ValueTask DisposeAsync()
    {
        foreach (IHost client in _clients)
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
            try
            {
                await client.StopAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                // Its silos may be gone already.
            }
            await ((IAsyncDisposable)client).DisposeAsync();
        }
        Cluster.Dispose();
    }
}
