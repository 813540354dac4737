using System.Runtime.InteropServices;
using Rum.Core;
using Rum.Core.Council;
using Rum.FastPath.Client;
using Rum.FastPath.Drivers;
using Rum.FastPath.Drivers.SharedMemory;
using Rum.FastPath.Linux;
using Rum.FastPath.Server;
using Rum.Transport.Tests.SharedMemory;

namespace Rum.Transport.Tests.Direct;

/// <summary>A page client and a page server with shared memory between them, both in this thread: which reads need no answer, and which do.</summary>
public sealed unsafe class DirectClientTests : IDisposable
{
    private const int Pages = 200;
    private const int SecondsMax = 60;
    private static readonly Incarnation Life = new(0x1000);

    private readonly TemporaryDirectory _directory = new();
    private readonly byte* _memory = (byte*)NativeMemory.AlignedAlloc(64 * Layout.PageSize, Layout.PageSize);
    private readonly PageCompletion[] _completions = new PageCompletion[64];
    private readonly SegmentHandle _segment = new(new SegmentId(5), 1, new ShardId(0), SegmentFlags.None);
    private readonly PagePool _pool = new(new PagePoolOptions { CapacityBytes = 4 << 20, SegmentsMax = 16, ExtentsMax = 16, DirectReads = true });
    private SharedMemoryServerDriver _silo = null!;
    private PageServer _server = null!;
    private bool _ended;

    public void Dispose()
    {
        if (!_ended) _server?.Dispose();
        NativeMemory.AlignedFree(_memory);
        _directory.Dispose();
    }

    [Fact]
    public void Pages_are_read_without_the_silo()
    {
        using PageClient client = Start();
        WriteAll(client, 1);
        ReadAll(client, 1, 1);
        Assert.InRange(client.Counters.PagesReadDirectly, Pages - 8, Pages);
        long asked = _server.Counters.PagesRead, directly = client.Counters.PagesReadDirectly;
        ReadAll(client, 1, 50);
        Assert.Equal(asked, _server.Counters.PagesRead);
        Assert.Equal(directly + Pages, client.Counters.PagesReadDirectly);
        // The silo isn't even polled.
        Assert.True(client.TryRead(_segment, 7, 1, 1));
        Assert.Equal(Fill(1, 7), Complete(client, polled: false).Fill);
    }

    [Fact]
    public void Pages_never_written_and_trimmed_are_zeros()
    {
        using PageClient client = Start();
        WriteAll(client, 1);
        Assert.True(client.TryTrim(_segment, 20, 2, 1));
        Assert.Equal(PageStatus.Ok, Complete(client).Status);
        ReadAll(client, 1, 1, 8);
        foreach (long page in new[] { 20, 21, Pages + 9, Layout.PagesPerExtent + 1 })
        {
            Assert.True(client.TryRead(_segment, page, 1, 1));
            Assert.Equal(PageStatus.Zero, Complete(client).Status);
        }
    }

    [Fact]
    public void A_page_is_put_where_the_reader_wants_it()
    {
        using PageClient client = Start();
        WriteAll(client, 1);
        ReadAll(client, 1, 1, 8);
        IPageChannel channel = client;
        Assert.True(channel.TryRead(_segment, 10, 4, 1, _memory));
        for (int i = 0; i < 4; i++)
        {
            nint image = 0;
            (PageStatus status, int fill) = Complete(client, completion => image = (nint)completion.Image - (nint)(_memory + ((completion.Page - 10) << Layout.PageShift)));
            Assert.Equal((PageStatus.Ok, 0), (status, (int)image));
            Assert.Contains(fill, Enumerable.Range(10, 4).Select(static page => Fill(1, page)));
        }
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public void Either_end_may_do_without(bool offered, bool wanted)
    {
        using PageClient client = Start(offered, new PageClientOptions { DirectReads = wanted });
        WriteAll(client, 1);
        ReadAll(client, 1, 1);
        ReadAll(client, 1, 50);
        Assert.Equal(0, client.Counters.PagesReadDirectly);
        Assert.Equal(2 * Pages, _server.Counters.PagesRead);
    }

    [Fact]
    public void A_writer_is_known_to_the_silo_before_it_reads()
    {
        using PageClient client = Start();
        WriteAll(client, 1);
        ReadAll(client, 1, 1, 8);
        long directly = client.Counters.PagesReadDirectly;
        SegmentHandle next = _segment with { Token = 2 };
        Assert.True(client.TryRead(next, 7, 1, 1));
        // Nothing comes while the silo hasn't heard of the token.
        for (int i = 0; i < 100; i++) Assert.Equal(0, client.Poll(MonotonicClock.NowNs, _completions));
        Assert.Equal(directly, client.Counters.PagesReadDirectly);
        Assert.Equal(Fill(1, 7), Complete(client).Fill);
        Assert.Equal(directly + 1, client.Counters.PagesReadDirectly);
        Assert.Equal(PageStatus.Fenced, _pool.Fence(_segment.Segment, 1, false, out ulong fence));
        Assert.Equal(2ul, fence);
    }

    [Fact]
    public void What_is_gone_or_lost_is_said_by_name()
    {
        using PageClient client = Start();
        WriteAll(client, 1);
        ReadAll(client, 1, 1, 8);
        Assert.True(client.TryLose(_segment, 0, 1));
        Assert.Equal(PageStatus.Ok, Complete(client).Status);
        Assert.True(client.TryRead(_segment, 7, 1, 1));
        Assert.Equal(PageStatus.Lost, Complete(client).Status);
        _pool.DropSegment(_segment.Segment);
        Assert.True(client.TryRead(_segment, 7, 1, 1));
        Assert.Equal(PageStatus.Gone, Complete(client).Status);
    }

    [Fact]
    public void A_reader_behind_its_view_is_not_served()
    {
        using PageClient client = Start();
        WriteAll(client, 1);
        ReadAll(client, 1, 1, 8);
        _ = _server.SetViewAsync(View(2, ReplicaState.InSync));
        _server.Poll(MonotonicClock.NowNs);
        long directly = client.Counters.PagesReadDirectly;
        Assert.True(client.TryRead(_segment, 7, 1, 1));
        Until(() => client.StaleViewReports > 0, "the view is said to be stale", () => Assert.Equal(0, Step(client)));
        Assert.Equal(directly, client.Counters.PagesReadDirectly);
        client.SetRoutes(Routes(2, _driver));
        Assert.Equal(Fill(1, 7), Complete(client).Fill);
    }

    [Fact]
    public void A_silo_that_is_gone_is_noticed_though_its_memory_stays()
    {
        using PageClient client = Start();
        WriteAll(client, 1);
        ReadAll(client, 1, 1, 8);
        // As the kernel does it for a process that was killed: the connection ends, the memory stays as it is for who has it mapped.
        _silo.Dispose();
        _ended = true;
        int read = 0;
        for (; client.StaleViewReports == 0; read++)
        {
            Assert.True(read < 100, $"{read} pages were read out of the memory of a silo that is gone");
            Assert.True(client.TryRead(_segment, 7, 1, 1));
            Assert.Equal(Fill(1, 7), Complete(client, polled: false).Fill);
        }
        long directly = client.Counters.PagesReadDirectly;
        Assert.True(client.TryRead(_segment, 7, 1, 1));
        for (int i = 0; i < 100; i++) Assert.Equal(0, client.Poll(MonotonicClock.NowNs, _completions));
        Assert.Equal(directly, client.Counters.PagesReadDirectly);
        _pool.Dispose();
    }

    [Fact]
    public void A_read_that_is_given_up_touches_nothing_any_more()
    {
        using PageClient client = Start();
        WriteAll(client, 1);
        ReadAll(client, 1, 1, 8);
        IPageChannel channel = client;
        new Span<byte>(_memory, Layout.PageSize).Fill(0xEE);
        Assert.True(channel.TryRead(_segment, 7, 1, 99, _memory));
        Assert.Equal(1, client.Cancel(99));
        Assert.Equal(PageStatus.TimedOut, Complete(client).Status);
        for (int i = 0; i < 10; i++) Assert.Equal(0, Step(client));
        Assert.Equal(-1, new ReadOnlySpan<byte>(_memory, Layout.PageSize).IndexOfAnyExcept((byte)0xEE));
    }

    private SharedMemoryClientDriver _driver = null!;

    private PageClient Start(bool offered = true, PageClientOptions? options = null)
    {
        Assert.True(_pool.Window is not null, _pool.WhyNoWindow);
        string path = _directory.File("silo.sock");
        _silo = SharedMemoryServerDriver.Listen(path);
        if (offered) _silo.Window = _pool.Window.ReadOnlyDescriptor;
        _server = new PageServer(Life, _pool, [_silo]);
        _ = _server.SetViewAsync(View(1, ReplicaState.InSync));
        Task<SharedMemoryClientDriver> connecting = Task.Run(() => SharedMemoryClientDriver.Connect(path, 10_000));
        Until(() => connecting.IsCompleted, "the client is connected", () => _server.Poll(MonotonicClock.NowNs));
        _driver = connecting.GetAwaiter().GetResult();
        Assert.Equal(offered, _driver.Direct is not null);
        var client = new PageClient(options) { Session = new SessionId(77) };
        client.SetRoutes(Routes(1, _driver));
        return client;
    }

    private static ClusterView View(uint epoch, ReplicaState state)
    {
        var member = new Member(new SiloId(1), "silo", Life, "", "", "", "", "", "", 1 << 30, true);
        return new ClusterView(Guid.Empty, 3, epoch, [member], [new ShardView(epoch, ShardState.Served, [new Replica(member.Id, Life, state)])], 1);
    }

    private static ClientRoutes Routes(uint epoch, IDriver driver) =>
        new(new ShardMap(View(epoch, ReplicaState.InSync)), [new SiloRoute(Life, driver, SharedMemoryClientDriver.Silo)]);

    private static int Fill(int seed, long page) => (int)((page * seed % 251) + 1);

    private void WriteAll(PageClient client, int seed)
    {
        for (int page = 0; page < Pages; page++)
        {
            new Span<byte>(_memory, Layout.PageSize).Fill((byte)Fill(seed, page));
            Assert.True(client.TryWrite(_segment, page, _memory, 1));
            Assert.Equal(PageStatus.Ok, Complete(client).Status);
        }
    }

    private void ReadAll(PageClient client, int seed, int batch, int pages = Pages)
    {
        for (int page = 0; page < pages; page += batch)
        {
            Assert.True(client.TryRead(_segment, page, batch, 1));
            var left = new HashSet<long>(Enumerable.Range(page, batch).Select(static p => (long)p));
            while (left.Count > 0)
            {
                long at = -1;
                (PageStatus status, int fill) = Complete(client, completion => at = completion.Page);
                Assert.Equal(PageStatus.Ok, status);
                Assert.True(left.Remove(at), $"page {at} came, which wasn't waited for");
                Assert.Equal(Fill(seed, at), fill);
            }
        }
    }

    private readonly Queue<(PageStatus Status, int Fill)> _ends = new();
    private Action<PageCompletion>? _seen;

    /// <summary>The next end of a request: how, and the byte that its page is filled with (-1: it isn't whole).</summary>
    private (PageStatus Status, int Fill) Complete(PageClient client, Action<PageCompletion>? seen = null, bool polled = true)
    {
        _seen = seen;
        client.Submit();
        Until(() => _ends.Count > 0, "a request ends", () => Step(client, polled));
        return _ends.Dequeue();
    }

    private int Step(PageClient client, bool polled = true)
    {
        if (polled) _server.Poll(MonotonicClock.NowNs);
        // One at a time.
        int count = client.Poll(MonotonicClock.NowNs, _completions.AsSpan(0, 1));
        for (int i = 0; i < count; i++)
        {
            PageCompletion end = _completions[i];
            var bytes = new ReadOnlySpan<byte>(end.Image, end.Image == null ? 0 : Layout.PageSize);
            _seen?.Invoke(end);
            _ends.Enqueue((end.Status, bytes.IsEmpty ? 0 : bytes.IndexOfAnyExcept(bytes[0]) < 0 ? bytes[0] : -1));
        }
        return count;
    }

    private static void Until(Func<bool> done, string what, Action step)
    {
        long end = Environment.TickCount64 + (SecondsMax * 1000);
        while (!done())
        {
            Assert.True(Environment.TickCount64 < end, $"Not within {SecondsMax} s: {what}");
            step();
        }
    }
}
