using Rum.Core;
using Rum.Core.Council;
using Rum.FastPath.Client;

namespace Rum.Unit.FastPath;

/// <summary>A driver that takes no frames for a while.</summary>
public sealed unsafe class PushedBackTests
{
    private static readonly SegmentHandle Segment = Cluster.Handle(2, 5);

    [Fact]
    public void A_write_that_was_acknowledged_is_not_read_any_more()
    {
        using var cluster = new Cluster(views: false);
        var gate = new GatedDriver(cluster.ClientDriver);
        var view = cluster.View(1);
        cluster.SetServerView(view);
        cluster.Client.SetRoutes(new ClientRoutes(new ShardMap(view), [new SiloRoute(cluster.Server.Incarnation, gate, cluster.Drivers[0].Address)]));
        for (int i = 0; i < 20; i++) Assert.Equal(PageStatus.Ok, cluster.Write(Segment, i, 1));
        byte* image = stackalloc byte[Layout.PageSize];
        new Span<byte>(image, Layout.PageSize).Fill(2);

        // It goes out; its acknowledgement is late, and what is sent once more the driver doesn't take.
        Assert.True(cluster.Client.TryWrite(Segment, 1, image, 7));
        cluster.Client.Submit();
        Assert.Contains((nint)image, gate.Payloads);
        gate.Takes = gate.Hears = false;
        long probes = cluster.Client.Counters.Probes;
        cluster.Until(() => cluster.Client.Counters.Probes > probes, "the write is sent once more");

        // Acknowledged: the image is the caller's again, who may have unmapped it.
        bool done = false;
        gate.Hears = true;
        cluster.Until(() => done, "the write ends", each: completion => done |= completion is { Cookie: 7, Status: PageStatus.Ok });
        gate.Payloads.Clear();
        gate.Takes = true;
        Assert.Equal((PageStatus.Ok, 2), cluster.Read(Segment, 1));
        Assert.DoesNotContain((nint)image, gate.Payloads);
    }
}
