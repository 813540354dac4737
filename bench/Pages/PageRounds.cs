using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Rum.Core;
using Rum.Core.Council;
using Rum.FastPath.Client;
using Rum.FastPath.Drivers;
using Rum.FastPath.Linux;
using Rum.FastPath.Server;

namespace Rum.Pages.Bench;

/// <summary>One client thread and one server thread; each figure is a second of one kind of request.</summary>
internal sealed unsafe class PageRounds : IDisposable
{
    private const int Pages = 8192, Landings = 256;
    private static readonly int[] Cpus = Scheduling.AllowedCpus(); // Asked before any thread is bound.

    private readonly PageServerThread _thread;
    private readonly PageClient _client;
    private readonly SegmentHandle _segment = new(new SegmentId(1), 1, new ShardId(0), SegmentFlags.None);
    private readonly byte* _memory = (byte*)NativeMemory.AlignedAlloc((Landings + 2) * Layout.PageSize, Layout.PageSize);
    private readonly PageCompletion[] _completions = new PageCompletion[64];
    private readonly string _kind, _layout;
    private uint _random = 1;

    public PageRounds(IDriver driver, Func<IDriver> connect, PeerAddress address, string layout, string kind)
    {
        bool one = layout == "one" || Cpus.Length == 1;
        (_kind, _layout) = (kind, one ? "one" : "split");
        var life = new Incarnation(0x51105110);
        var server = new PageServer(life, new PagePool(new PagePoolOptions { CapacityBytes = 256 << 20 }), [driver]);
        var member = new Member(new SiloId(1), "silo", life, "", "", "", "", "", "", 1, true);
        var view = new ClusterView(
            Guid.Empty, 1, 1, [member], [new ShardView(1, ShardState.Served, [new Replica(member.Id, life, ReplicaState.InSync)])], 1);
        _thread = new PageServerThread(server, defect => Environment.FailFast(defect.Message, defect), one ? Cpus[0] : Cpus[1]);
        server.SetViewAsync(view).Wait();
        _client = new PageClient { Session = new SessionId(1) };
        _client.SetRoutes(new ClientRoutes(new ShardMap(view), [new SiloRoute(life, connect(), address)]));
        Scheduling.TryPin(0, Cpus[0]);
        new Span<byte>(_memory, (Landings + 2) * Layout.PageSize).Fill(0x5A);
        for (int i = 0; i < Landings; i++) _client.Lend(_memory + ((i + 2) * Layout.PageSize));
        for (int i = 0; i < Pages;)
        {
            if (_client.TryWrite(_segment, i, _memory, 0)) i++; else Drain();
        }
        while (_client.Outstanding > 0) Drain();
    }

    public void MeasureAll()
    {
        Measure("read.1", 1, 1, write: false);
        Measure("read.32", 32, 1, write: false);
        Measure("read.batch32", 2, 32, write: false);
        Measure("write.1", 1, 1, write: true);
        Measure("write.32", 32, 1, write: true);
    }

    public void Dispose()
    {
        _client.Dispose();
        _thread.Dispose();
        NativeMemory.AlignedFree(_memory);
    }

    private void Measure(string name, int outstanding, int batch, bool write)
    {
        Run(outstanding, batch, write, 300);
        long allocated = GC.GetAllocatedBytesForCurrentThread(), resends = _client.Counters.Resends;
        (long pages, double seconds) = Run(outstanding, batch, write, 1500);
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $$"""{"name":"pages.{{_kind}}.{{name}}","layout":"{{_layout}}","pages_per_s":{{pages / seconds:F0}},"us_per_page":{{seconds * 1e6 / pages:F3}},"resends":{{_client.Counters.Resends - resends}},"allocated_bytes":{{allocated}}}"""));
    }

    private (long Pages, double Seconds) Run(int outstanding, int batch, bool write, int milliseconds)
    {
        long start = Stopwatch.GetTimestamp(), end = start + (milliseconds * Stopwatch.Frequency / 1000), done = 0;
        int next = 0;
        for (bool more = true; more || _client.Outstanding > 0;)
        {
            more = more && Stopwatch.GetTimestamp() < end;
            while (more && _client.Outstanding < outstanding)
            {
                _random = (_random * 1664525) + 1013904223;
                long page = batch == 1 ? _random % Pages : next;
                next = (next + batch) % Pages;
                if (!(write ? _client.TryWrite(_segment, page, _memory, 1) : _client.TryRead(_segment, page, batch, 1))) break;
            }
            _client.Submit();
            done += Drain();
        }
        return (done, (Stopwatch.GetTimestamp() - start) / (double)Stopwatch.Frequency);
    }

    private int Drain()
    {
        int count = _client.Poll(MonotonicClock.NowNs, _completions);
        for (int i = 0; i < count; i++)
        {
            ref PageCompletion end = ref _completions[i];
            if (end.Status != PageStatus.Ok) throw new InvalidOperationException($"{end.Operation} ended as {end.Status}");
            if (end.Lent) _client.Lend(end.Image);
            else if (end.Image != null) Buffer.MemoryCopy(end.Image, _memory + Layout.PageSize, Layout.PageSize, Layout.PageSize);
        }
        if (count == 0 && _layout == "one") _ = Scheduling.sched_yield();
        return count;
    }
}
