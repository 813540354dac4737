using Rum.Core;
using Rum.Core.Council;
using Rum.FastPath.Client;
using Rum.FastPath.Server;

namespace Rum.Unit.FastPath;

/// <summary>Frames of another cluster, or of another generation of this one, at the same address and even with the same incarnations and epochs.</summary>
public sealed class GenerationTests
{
    [Fact]
    public void Clusters_generations_and_restores_differ()
    {
        var random = new Random(1);
        var seen = new HashSet<uint>();
        byte[] id = new byte[16];
        for (int i = 0; i < 1000; i++)
        {
            random.NextBytes(id);
            var view = new ClusterView(new Guid(id), 1, 1, [], [], 16);
            Assert.True(seen.Add(view.FrameGeneration));
            Assert.True(seen.Add((view with { Generation = 2 }).FrameGeneration));
            Assert.True(seen.Add((view with { Restores = 1 }).FrameGeneration));
            Assert.Equal(view.FrameGeneration, (view with { Decree = 9 }).FrameGeneration);
        }
        Assert.DoesNotContain(0u, seen);
    }

    [Fact]
    public void A_client_reads_and_writes_nothing_of_another_cluster_whatever_else_is_equal()
    {
        using var cluster = new Cluster();
        SegmentHandle segment = Cluster.Handle(2, 5);
        Assert.Equal(PageStatus.Ok, cluster.Write(segment, 0, 7));
        PageServerCounters before = cluster.Server.Counters;
        cluster.SetServerView(cluster.View(2) with { ClusterId = Guid.NewGuid() });
        Assert.True(cluster.Client.TryRead(segment, 0, 1, 1));
        unsafe { Assert.True(cluster.Client.TryWrite(segment, 1, null, 2)); }
        cluster.Client.Submit();
        long reports = cluster.Client.StaleViewReports;
        cluster.Until(() => cluster.Client.StaleViewReports > reports + 3, "the client is told that its view is wrong", each: c => Assert.Fail($"{c.Status}"));
        Assert.Equal((before.PagesRead, before.PagesWritten), (cluster.Server.Counters.PagesRead, cluster.Server.Counters.PagesWritten));
    }

    [Fact]
    public void Answers_of_another_cluster_are_not_taken()
    {
        using var cluster = new Cluster();
        SegmentHandle segment = Cluster.Handle(2, 5);
        Assert.Equal(PageStatus.Ok, cluster.Write(segment, 0, 7));
        Assert.True(cluster.Client.TryRead(segment, 0, 1, 1));
        cluster.Client.Submit();
        // The silo answers by its view; the client has another one by the time the answer comes.
        cluster.Network.AdvanceTo(cluster.Network.NextArrivalNs);
        cluster.Server.Poll(cluster.Network.NowNs);
        cluster.SetClientView(cluster.View(2) with { ClusterId = Guid.NewGuid() });
        long late = cluster.Client.Counters.LateAnswers;
        cluster.Until(() => cluster.Client.Counters.LateAnswers > late, "the answer is taken for late", each: c => Assert.Fail($"{c.Status}"));
    }
}
