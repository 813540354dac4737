using Rum.Core;
using Rum.Core.Council;
using Rum.FastPath.Client;
using Rum.FastPath.Drivers.Simulated;
using Rum.FastPath.Server;

namespace Rum.Unit.FastPath;

/// <summary>One or more page servers and a client in one thread over a simulated network, driven by virtual time.</summary>
internal sealed unsafe class Cluster : IDisposable
{
    public const int RingShards = 16;

    /// <summary>What frames of the views made here carry.</summary>
    public static readonly uint FrameGeneration = new ClusterView(Guid.Empty, 3, 1, [], [], RingShards).FrameGeneration;

    private readonly PageCompletion[] _completions = new PageCompletion[64];

    public Cluster(int servers = 1, ulong seed = 1, SimulatedNetworkOptions? network = null, PageClientOptions? client = null, long capacity = 64 << 20,
        PageServerOptions? server = null, IControlSink? sink = null, bool views = true)
    {
        Network = new SimulatedNetwork(seed, network);
        ClientDriver = Network.CreateEndpoint();
        for (int i = 0; i < servers; i++)
        {
            SimulatedDriver driver = Network.CreateEndpoint();
            Drivers.Add(driver);
            var pool = new PagePool(new PagePoolOptions { CapacityBytes = capacity, SegmentsMax = 256, ExtentsMax = 1024 });
            Servers.Add(new PageServer(new Incarnation(0x1000 + (ulong)i), pool, [driver], sink, server));
        }
        Client = new PageClient((client ?? new PageClientOptions()) with { ClockNs = () => Network.NowNs });
        Client.Session = new SessionId(77);
        Lend();
        if (!views) return;
        SetView(View(1));
    }

    public SimulatedNetwork Network { get; }

    public SimulatedDriver ClientDriver { get; }

    public List<SimulatedDriver> Drivers { get; } = [];

    public List<PageServer> Servers { get; } = [];

    public PageClient Client { get; }

    public PageServer Server => Servers[0];

    public static SegmentHandle Handle(ulong segment, ulong token) => new(new SegmentId(segment), token, new ShardId((ushort)(segment % RingShards)), SegmentFlags.None);

    public ClusterView View(ulong decree, uint epoch = 1, Func<int, int>? owner = null, Func<int, ShardState>? state = null)
    {
        Member[] members = [.. Servers.Select((s, i) => new Member(
            new SiloId((ushort)(i + 1)), $"silo{i}", s.Incarnation, "", "", "", "", "", "", 1 << 30, i == 0))];
        ShardView[] shards = [.. Enumerable.Range(0, RingShards).Select(i =>
        {
            int silo = owner?.Invoke(i) ?? i % Servers.Count;
            return new ShardView(epoch, state?.Invoke(i) ?? ShardState.Served, [new Replica(members[silo].Id, members[silo].Incarnation, ReplicaState.InSync)]);
        })];
        return new ClusterView(Guid.Empty, 3, decree, members, shards, RingShards);
    }

    public void SetView(ClusterView view)
    {
        SetServerView(view);
        SetClientView(view);
    }

    public void SetServerView(ClusterView view)
    {
        foreach (PageServer server in Servers) _ = server.SetViewAsync(view);
    }

    public void SetClientView(ClusterView view) =>
        Client.SetRoutes(new ClientRoutes(new ShardMap(view), [.. Servers.Select((s, i) => new SiloRoute(s.Incarnation, ClientDriver, Drivers[i].Address))]));

    /// <summary>One round: everything due arrives, the servers answer, the client looks.</summary>
    public int Step(List<PageCompletion>? into = null, Action<PageCompletion>? each = null)
    {
        foreach (PageServer server in Servers) server.Poll(Network.NowNs);
        int count = Client.Poll(Network.NowNs, _completions);
        for (int i = 0; i < count; i++)
        {
            into?.Add(_completions[i]);
            each?.Invoke(_completions[i]);
            if (_completions[i].Lent) Client.Lend(_completions[i].Image);
        }
        foreach (PageServer server in Servers) server.Poll(Network.NowNs);
        Network.AdvanceTo(Math.Max(Network.NowNs + 1_000, Math.Min(Math.Min(Network.NextArrivalNs, Client.NextDeadlineNs), Network.NowNs + 1_000_000)));
        return count;
    }

    /// <summary>Runs until a condition holds; fails by name when that takes more than the virtual time.</summary>
    public void Until(Func<bool> done, string what, long withinNs = 10_000_000_000, Action<PageCompletion>? each = null)
    {
        long end = Network.NowNs + withinNs;
        while (!done())
        {
            Assert.True(Network.NowNs < end, $"Not within {withinNs / 1_000_000} ms of virtual time: {what}");
            Step(each: each);
        }
    }

    public PageStatus Write(SegmentHandle segment, long page, byte fill, bool zero = false)
    {
        byte* image = stackalloc byte[Layout.PageSize];
        new Span<byte>(image, Layout.PageSize).Fill(fill);
        Assert.True(Client.TryWrite(segment, page, zero ? null : image, 1));
        return Complete("write").Status;
    }

    public PageStatus Trim(SegmentHandle segment, long page, int count)
    {
        Assert.True(Client.TryTrim(segment, page, count, 1));
        return Complete("trim").Status;
    }

    /// <summary>Reads one page; the byte it is filled with, 0 for zeros, or null with the status where it failed.</summary>
    public (PageStatus Status, byte Fill) Read(SegmentHandle segment, long page)
    {
        Assert.True(Client.TryRead(segment, page, 1, 1));
        byte fill = 0;
        PageCompletion end = Complete("read", c =>
        {
            if (c.Image == null) return;
            var bytes = new ReadOnlySpan<byte>(c.Image, Layout.PageSize);
            fill = bytes[0];
            Assert.Equal(-1, bytes.IndexOfAnyExcept(fill));
        });
        return (end.Status, fill);
    }

    public void Dispose()
    {
        Client.Dispose();
        foreach (PageServer server in Servers) server.Dispose();
        Network.Dispose();
        foreach (nint buffer in _buffers) System.Runtime.InteropServices.NativeMemory.AlignedFree((void*)buffer);
    }

    private readonly List<nint> _buffers = [];

    private void Lend()
    {
        for (int i = 0; i < 64; i++)
        {
            void* buffer = System.Runtime.InteropServices.NativeMemory.AlignedAlloc(Layout.PageSize, Layout.PageSize);
            _buffers.Add((nint)buffer);
            Client.Lend((byte*)buffer);
        }
    }

    private PageCompletion Complete(string what, Action<PageCompletion>? inspect = null)
    {
        PageCompletion? found = null;
        Client.Submit();
        Until(() => found != null, what + " completes", each: c =>
        {
            inspect?.Invoke(c);
            found = c;
        });
        return found!.Value;
    }
}
