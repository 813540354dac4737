using Rum.Core;
using Rum.FastPath.Client;
using Rum.FastPath.Drivers.Simulated;

namespace Rum.Unit.FastPath;

public sealed class AllocationTests
{
    [Theory]
    [InlineData(4096)]
    [InlineData(1344)]
    public unsafe void Nothing_is_allocated_per_page(int maxPayload)
    {
        using var cluster = new Cluster(network: new SimulatedNetworkOptions { MaxPayload = maxPayload });
        SegmentHandle segment = Cluster.Handle(5, 9);
        byte* image = stackalloc byte[Layout.PageSize];
        new Span<byte>(image, Layout.PageSize).Fill(1);
        for (int i = 0; i < 300; i++) Round(cluster, segment, image);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++) Round(cluster, segment, image);
        // The simulated network's queues may still grow once; a page operation that allocated would cost thousands of objects.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4096);
        Assert.Equal(1300, cluster.Server.Counters.PagesWritten);
    }

    private static unsafe void Round(Cluster cluster, SegmentHandle segment, byte* image)
    {
        Assert.True(cluster.Client.TryRead(segment, 0, 8, 1) && cluster.Client.TryWrite(segment, 20, image, 2) && cluster.Client.TryTrim(segment, 30, 2, 3));
        cluster.Client.Submit();
        while (cluster.Client.Outstanding > 0) cluster.Step();
    }
}
