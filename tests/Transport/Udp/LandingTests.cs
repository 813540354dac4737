using System.Net;
using System.Runtime.InteropServices;
using Rum.Core;
using Rum.Core.Council;
using Rum.FastPath.Client;
using Rum.FastPath.Drivers.Udp;
using Rum.FastPath.Memory;
using Rum.FastPath.Server;

namespace Rum.Transport.Tests.Udp;

/// <summary>A page client and a page server with real sockets between them, both in this thread: over UDP a page is received by the system into the frame that it lives in.</summary>
public sealed unsafe class LandingTests : IDisposable
{
    private const int Pages = 2_000, Images = 32;
    private const long StepNs = 1_000;

    private readonly PageServer _server;
    private readonly PageClient _client;
    private readonly PageCompletion[] _completions = new PageCompletion[64];
    private readonly byte* _images = (byte*)NativeMemory.AlignedAlloc(Images * Layout.PageSize, Layout.PageSize);
    private readonly byte* _landing = (byte*)NativeMemory.AlignedAlloc(64 * Layout.PageSize, Layout.PageSize);
    private readonly SegmentHandle _segment = new(new SegmentId(5), 1, new ShardId(0), SegmentFlags.None);

    // Frames that are lent are taken back after a second without pages: no time passes here but what is done takes, however busy the machine is.
    private long _nowNs = 1_000_000_000;

    public LandingTests()
    {
        var incarnation = new Incarnation(0x1000);
        UdpDriver here = UdpDriver.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Assert.True(here.Traits.MaxPayload >= Layout.PageSize, $"a page doesn't fit into a frame of the loopback: {here.Traits.MaxPayload}");
        _server = new PageServer(incarnation, new PagePool(new PagePoolOptions { CapacityBytes = 2 * Pages * Layout.PageSize, SegmentsMax = 16, ExtentsMax = 64 }), [here]);
        var member = new Member(new SiloId(1), "silo", incarnation, "", "", "", "", "", "", 1 << 30, true);
        var view = new ClusterView(Guid.Empty, 3, 1, [member], [new ShardView(1, ShardState.Served, [new Replica(member.Id, incarnation, ReplicaState.InSync)])], 1);
        _ = _server.SetViewAsync(view);
        _client = new PageClient(new PageClientOptions { ClockNs = () => _nowNs }) { Session = new SessionId(77) };
        _client.SetRoutes(new ClientRoutes(new ShardMap(view), [new SiloRoute(incarnation, UdpDriver.Toward([here.LocalEndPoint]), UdpPeer.From(here.LocalEndPoint))]));
        for (int i = 0; i < 64; i++) _client.Lend(_landing + (i * Layout.PageSize));
    }

    [Fact]
    public void A_silo_receives_pages_into_the_frames_that_they_live_in()
    {
        WriteAll(seed: 1);
        Assert.True(_server.Counters.PagesWritten >= Pages);
        // The first burst shows that pages come; all others find frames lent to the socket.
        Assert.InRange(_server.Counters.PagesCopied, 1, Images);
        long copied = _server.Counters.PagesCopied;
        WriteAll(seed: 2);
        Assert.Equal(copied, _server.Counters.PagesCopied);
        Assert.True(_server.Counters.PagesWritten >= 2 * Pages);
        for (int page = 0; page < Pages; page++)
        {
            Assert.True(_client.TryRead(_segment, page, 1, 1));
            byte fill = Fill(2, page);
            Until(end =>
            {
                Assert.Equal(PageStatus.Ok, end.Status);
                Assert.Equal(-1, new ReadOnlySpan<byte>(end.Image, Layout.PageSize).IndexOfAnyExcept(fill));
                if (end.Lent) _client.Lend(end.Image);
            });
        }
        Assert.Equal(Pages, _server.PoolStatistics.PagesStored);
    }

    public void Dispose()
    {
        _client.Dispose();
        _server.Dispose();
        NativeMemory.AlignedFree(_images);
        NativeMemory.AlignedFree(_landing);
    }

    private static byte Fill(int seed, int page) => (byte)((page * seed % 251) + 1);

    private void WriteAll(int seed)
    {
        for (int page = 0; page < Pages; page += Images)
        {
            int count = Math.Min(Images, Pages - page);
            for (int i = 0; i < count; i++)
            {
                byte* image = _images + (i * Layout.PageSize);
                new Span<byte>(image, Layout.PageSize).Fill(Fill(seed, page + i));
                Assert.True(_client.TryWrite(_segment, page + i, image, (ulong)i));
            }
            Until(end => Assert.Equal(PageStatus.Ok, end.Status));
        }
    }

    /// <summary>Lets both ends work until everything asked for has ended.</summary>
    private void Until(Action<PageCompletion> ended)
    {
        _client.Submit();
        for (int steps = 0; _client.Outstanding > 0; steps++)
        {
            Assert.True(steps < 10_000_000, $"{_client.Outstanding} requests have not ended");
            _nowNs += StepNs;
            _server.Poll(_nowNs);
            int count = _client.Poll(_nowNs, _completions);
            for (int i = 0; i < count; i++) ended(_completions[i]);
        }
    }
}
