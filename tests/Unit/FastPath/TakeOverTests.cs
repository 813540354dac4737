using Rum.Core;
using Rum.Core.Council;
using Rum.FastPath.Client;
using Rum.FastPath.Drivers.Simulated;

namespace Rum.Unit.FastPath;

/// <summary>A segment with two copies changes hands.</summary>
public sealed unsafe class TakeOverTests : IDisposable
{
    private const ulong Cookie = 9;

    private readonly Cluster _cluster = new(2, views: false);
    private readonly SegmentHandle _former = Cluster.Handle(2, 5), _successor = Cluster.Handle(2, 6);
    private readonly List<PageCompletion> _ended = [];

    public TakeOverTests()
    {
        _cluster.SetView(Replicated(1));
        _cluster.Step();
    }

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public void After_a_close_nothing_has_to_be_levelled()
    {
        for (int page = 0; page < 40; page++) Assert.Equal(PageStatus.Ok, _cluster.Write(_former, page, 7));
        _cluster.Client.Settle(_former);
        Assert.Equal(PageStatus.Ok, TakeOver(_successor));
        Assert.Equal(0, _cluster.Client.Counters.PagesLevelled);
        Assert.Equal(PageStatus.Fenced, _cluster.Write(_former, 1, 8));
        Assert.Equal((PageStatus.Ok, (byte)7), _cluster.Read(_successor, 1));
    }

    [Fact]
    public void What_one_replica_alone_has_is_on_both_afterwards()
    {
        Assert.Equal(PageStatus.Ok, _cluster.Write(_former, 3, 1));
        Assert.Equal(PageStatus.Ok, _cluster.Write(_former, 4, 1));
        // Not known to the client: as if it had died between its copies.
        foreach ((int silo, long page, ulong sequence, byte fill) in new[] { (0, 3L, 1001UL, (byte)8), (1, 4L, 1002UL, (byte)9), (1, 5L, 1003UL, (byte)0) }) Store(silo, page, sequence, fill);
        Assert.Equal(PageStatus.Ok, TakeOver(_successor));
        foreach (int silo in new[] { 0, 1 })
        {
            Assert.Equal((byte)8, At(silo, 3, out PageVersion third));
            Assert.Equal((byte)9, At(silo, 4, out PageVersion fourth));
            Assert.Equal((byte)0, At(silo, 5, out PageVersion fifth));
            Assert.All(new[] { third, fourth, fifth }, version => Assert.Equal(6UL, version.Token));
        }
    }

    [Fact]
    public void A_silo_that_does_not_answer_is_named_and_a_view_without_it_is_enough()
    {
        Assert.Equal(PageStatus.Ok, _cluster.Write(_former, 3, 1));
        _cluster.Network.Block(_cluster.ClientDriver.Number, _cluster.Drivers[1].Number);
        Assert.True(_cluster.Client.TryTakeOver(_successor, 16, Cookie));
        for (int i = 0; i < 2000; i++) _cluster.Step(_ended);
        Assert.Empty(_ended);
        Assert.Equal(_cluster.Servers[1].Incarnation, _cluster.Client.TakeOverWaitsFor(Cookie));
        _cluster.SetView(_cluster.View(2, epoch: 2, owner: _ => 0));
        _cluster.Until(() => _ended.Count > 0, "the take-over ends", each: _ended.Add);
        Assert.Equal(PageStatus.Ok, Assert.Single(_ended).Status);
    }

    [Fact]
    public void One_that_is_given_up_leaves_nothing_outstanding()
    {
        _cluster.Network.Block(_cluster.ClientDriver.Number, _cluster.Drivers[1].Number);
        Assert.True(_cluster.Client.TryTakeOver(_successor, 16, Cookie));
        for (int i = 0; i < 20; i++) _cluster.Step(_ended);
        Assert.Equal(1, _cluster.Client.Cancel(Cookie));
        Assert.Equal(0, _cluster.Client.Outstanding);
        Assert.Empty(_ended);
    }

    [Fact]
    public void A_later_successor_ends_an_earlier_one()
    {
        Assert.Equal(PageStatus.Ok, TakeOver(Cluster.Handle(2, 7)));
        Assert.Equal(PageStatus.Fenced, TakeOver(_successor));
    }

    private PageStatus TakeOver(SegmentHandle segment)
    {
        _ended.Clear();
        Assert.True(_cluster.Client.TryTakeOver(segment, 16, Cookie));
        _cluster.Until(() => _ended.Count > 0, "the take-over ends", each: _ended.Add);
        PageCompletion end = Assert.Single(_ended);
        Assert.Equal((PageOperation.TakeOver, Cookie), (end.Operation, end.Cookie));
        return end.Status;
    }

    private void Store(int silo, long page, ulong sequence, byte fill)
    {
        Task<PageStatus> stored = _cluster.Servers[silo].RunAsync(pool =>
        {
            byte* image = stackalloc byte[Layout.PageSize];
            new Span<byte>(image, Layout.PageSize).Fill(fill);
            return pool.Write(_former.Segment, page, new PageVersion(_former.Token, sequence), fill == 0 ? null : image, out _);
        });
        _cluster.Until(() => stored.IsCompleted, "the page is stored");
        Assert.Equal(PageStatus.Ok, stored.Result);
    }

    private byte At(int silo, long page, out PageVersion version)
    {
        Task<(byte, PageVersion)> read = _cluster.Servers[silo].RunAsync(pool =>
        {
            Assert.Equal(PageStatus.Ok, pool.Read(_former.Segment, page, out byte* image, out PageVersion at));
            return (image == null ? (byte)0 : *image, at);
        });
        _cluster.Until(() => read.IsCompleted, "the page is read");
        (byte fill, version) = read.Result;
        return fill;
    }

    private ClusterView Replicated(ulong decree)
    {
        ClusterView view = _cluster.View(decree);
        Replica[] both = [.. view.Members.Select(static member => new Replica(member.Id, member.Incarnation, ReplicaState.InSync))];
        return view with { Shards = [.. view.Shards.Select(shard => shard with { Replicas = both })] };
    }
}
