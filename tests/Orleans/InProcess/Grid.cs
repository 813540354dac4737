using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime;
using Orleans.TestingHost;
using Rum.Core;
using Rum.Core.Council;
using Rum.Grains.Carrying;
using Rum.Silo;
using Rum.Silo.Configuration;

namespace Rum.Grains.Tests.InProcess;

/// <summary>Orleans' in-process test cluster, each of its silos with a silo of RUM in it; the council's log is in memory.</summary>
internal sealed class Grid : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, int> _ports = new();
    private readonly InProcessTestCluster _cluster;
    private IPEndPoint? _first;

    private Grid(short silos, Action<InProcessTestClusterBuilder>? more)
    {
        var builder = new InProcessTestClusterBuilder(silos);
        builder.ConfigureSilo((options, silo) => silo.AddRum(Settings(options.SiloName)));
        more?.Invoke(builder);
        _cluster = builder.Build();
    }

    public InProcessTestCluster Orleans => _cluster;

    public IClusterClient Client => _cluster.Client;

    public GrainCalls Calls => field ??= new GrainCalls(_cluster.Client, TimeSpan.FromSeconds(30));

    public IEnumerable<SiloNode> Nodes => _cluster.GetActiveSilos().Select(NodeOf);

    public static async Task<Grid> StartAsync(short silos, Action<InProcessTestClusterBuilder>? more = null)
    {
        var grid = new Grid(silos, more);
        await grid._cluster.DeployAsync();
        await Eventually.Async(() => grid.Nodes.All(n => n.Membership.Map?.View.Members.Count(m => m.State == MemberState.Up) == silos), $"{silos} silos in every view");
        return grid;
    }

    public SiloNode NodeOf(InProcessSiloHandle silo) => _cluster.GetSiloServiceProvider(silo.SiloAddress).GetRequiredService<SiloNode>();

    /// <summary>The council, by any silo.</summary>
    public Rum.Silo.Council.ICouncil Council => Nodes.First(n => n.Council.LeadsHere).Council;

    public long Counter(string name) => Nodes.Sum(n => n.Metrics.Report().Counters.GetValueOrDefault(name));

    public async Task<SessionId> OpenSessionAsync(int leaseMs)
    {
        var open = new OpenSession((UInt128)(ulong)Random.Shared.NextInt64() << 64 | (ulong)Random.Shared.NextInt64(), "", "test", leaseMs);
        CommandAnswer answer = await Calls.DecideAsync(default, open, default);
        Assert.Equal(RumError.None, answer.Result.Error);
        return ((SessionResult)answer.Result).Session;
    }

    public async Task<SegmentResult> AllocateAsync(SessionId session, uint slot, uint counter, UInt128 key, long size = 4096)
    {
        CommandAnswer answer = await Calls.DecideAsync(new RequestId(session, slot, counter), new Allocate(session, key, size, 1, SegmentFlags.None, default), default);
        Assert.True(answer.Result.Error == RumError.None, answer.Result.Message);
        return (SegmentResult)answer.Result;
    }

    public async Task<ClusterStatus> StatusAsync() => ((StatusAnswer)await Council.AskAsync(new Describe(), default)).Status;

    public async ValueTask DisposeAsync()
    {
        await _cluster.StopAllSilosAsync();
        await _cluster.DisposeAsync();
    }

    private SiloSettings Settings(string name)
    {
        var self = new IPEndPoint(IPAddress.Loopback, _ports.GetOrAdd(name, _ => Ports.Free()));
        // The first that starts has the council's only seat: the others wait for it.
        IPEndPoint first = Interlocked.CompareExchange(ref _first, self, null) ?? self;
        return new SiloSettings { Self = self, Silos = [first], Dev = first.Equals(self), Name = name, Memory = 256 << 20, Transport = SiloTransport.Udp };
    }
}
