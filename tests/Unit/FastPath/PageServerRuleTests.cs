using Rum.Core;
using Rum.Core.Council;
using Rum.Core.Sessions;
using Rum.FastPath.Client;
using Rum.FastPath.Drivers;
using Rum.FastPath.Drivers.Simulated;
using Rum.FastPath.Frames;
using Rum.FastPath.Server;

namespace Rum.Unit.FastPath;

/// <summary>The server's answers to single frames, made by hand: each rule obeyed and broken.</summary>
public sealed unsafe class PageServerRuleTests : IDisposable
{
    private readonly Cluster _cluster = new(network: new SimulatedNetworkOptions { MaxPayload = 1344 });
    private readonly SimulatedDriver _driver;
    private uint _counter;
    private ulong _said;

    public PageServerRuleTests()
    {
        _driver = _cluster.Network.CreateEndpoint();
        _cluster.Step();
    }

    public void Dispose() => _cluster.Dispose();

    private delegate void Change(FrameHeader* header);

    private PageStatus? Ask(FrameType type, Change? change = null, int fragments = 1)
    {
        byte* page = stackalloc byte[Layout.PageSize];
        new Span<byte>(page, Layout.PageSize).Fill(7);
        FrameHeader header;
        _counter++;
        for (int i = 0; i < fragments; i++)
        {
            FrameCodec.Start(&header, type);
            header.Generation = Cluster.FrameGeneration;
            header.Epoch = 1;
            header.Incarnation = _cluster.Server.Incarnation.Value;
            header.Session = 1;
            header.Counter = _counter;
            header.Segment = 1;
            header.Token = 5;
            header.Sequence = type is FrameType.Read or FrameType.Fence ? 0 : _counter;
            int length = 0;
            if (type == FrameType.Write && fragments > 1) length = FrameCodec.SetFragment(&header, Layout.PageSize, 1344, i);
            else if (type == FrameType.Write) header.Encoding = PayloadEncoding.Zero;
            change?.Invoke(&header);
            FrameCodec.Seal(&header, page, checksummed: true);
            var frame = new TxFrame { Peer = _cluster.Drivers[0].Address, Header = (byte*)&header, Payload = page, PayloadLength = length };
            Assert.Equal(1, _driver.Send(new ReadOnlySpan<TxFrame>(ref frame)));
        }
        return Answer();
    }

    private PageStatus? Answer()
    {
        var rx = new RxFrame[1];
        for (int i = 0; i < 100; i++)
        {
            _cluster.Step();
            if (_driver.Receive(rx) == 0)
            {
                _driver.Release();
                continue;
            }
            var status = (PageStatus)((FrameHeader*)rx[0].Header)->Status;
            _said = ((FrameHeader*)rx[0].Header)->Sequence;
            _driver.Release();
            return status;
        }
        return null;
    }

    [Fact]
    public void Another_life_another_epoch_another_generation_another_shard_are_refused()
    {
        Assert.Equal(PageStatus.Ok, Ask(FrameType.Read));
        Assert.Equal(PageStatus.StaleIncarnation, Ask(FrameType.Read, h => h->Incarnation++));
        Assert.Equal(PageStatus.StaleEpoch, Ask(FrameType.Read, h => h->Epoch++));
        Assert.Equal(PageStatus.StaleEpoch, Ask(FrameType.Read, h => h->Generation++));
        Assert.Equal(PageStatus.StaleEpoch, Ask(FrameType.Read, h => h->Shard = Cluster.RingShards));
        Assert.Equal(PageStatus.Ok, Ask(FrameType.Hello, h => (h->Incarnation, h->Generation) = (0, 0)));
    }

    [Fact]
    public void A_silo_that_had_to_acknowledge_again_refuses_the_rest_of_a_cut()
    {
        PageStatus? Step(CutStep step, ulong cut, ulong view = 1) => Ask(FrameType.Cut, h => (h->Slot, h->Segment, h->Confirmed) = ((uint)step, cut, view));
        Assert.Equal(PageStatus.NotReady, Step(CutStep.Hold, 8, view: 2));
        Assert.Equal(PageStatus.TimedOut, Step(CutStep.Mark, 8));
        Assert.Equal(PageStatus.Ok, Step(CutStep.Hold, 9));
        Assert.Equal(PageStatus.Superseded, Step(CutStep.Hold, 10));
        Assert.Equal(PageStatus.Ok, Step(CutStep.Mark, 9));
        _cluster.Network.AdvanceTo(_cluster.Network.NowNs + PageServer.HoldNsMax + 1);
        _cluster.Step();
        Assert.Equal(PageStatus.TimedOut, Step(CutStep.Release, 9));
        Assert.Equal(PageStatus.Ok, Step(CutStep.Hold, 11));
        Assert.Equal(PageStatus.Ok, Step(CutStep.Mark, 11));
        Assert.Equal(PageStatus.Ok, Step(CutStep.Release, 11));
        Assert.Equal(PageStatus.Ok, Step(CutStep.Release, 11));
    }

    [Fact]
    public void A_write_needs_its_fence()
    {
        Assert.Equal(PageStatus.NotFenced, Ask(FrameType.Write));
        Assert.Equal(PageStatus.NotFenced, Ask(FrameType.Trim));
        Assert.Equal(PageStatus.Malformed, Ask(FrameType.Fence, h => h->Token = 0));
        Assert.Equal(PageStatus.Ok, Ask(FrameType.Fence));
        Assert.Equal(PageStatus.Ok, Ask(FrameType.Write));
        Assert.Equal(PageStatus.Ok, Ask(FrameType.Trim));
        Assert.Equal(PageStatus.Fenced, Ask(FrameType.Fence, h => h->Token = 4));
        Assert.Equal(PageStatus.Fenced, Ask(FrameType.Write, h => h->Token = 4));
        Assert.Equal(PageStatus.NotFenced, Ask(FrameType.Write, h => h->Token = 6));
    }

    [Fact]
    public void An_older_write_is_refused_and_the_same_one_acknowledged()
    {
        Ask(FrameType.Fence);
        Assert.Equal(PageStatus.Ok, Ask(FrameType.Write, h => h->Sequence = 50));
        Assert.Equal(PageStatus.Superseded, Ask(FrameType.Write, h => h->Sequence = 49));
        Assert.Equal(PageStatus.Ok, Ask(FrameType.Write, h => h->Sequence = 50));
        Assert.Equal(1, _cluster.Server.Counters.DuplicateWrites);
        Assert.Equal(1, _cluster.Server.Counters.PagesWritten);
    }

    [Fact]
    public void Fragments_make_one_write_in_any_number_and_incomplete_ones_age_out()
    {
        Ask(FrameType.Fence);
        Assert.Equal(PageStatus.Ok, Ask(FrameType.Write, fragments: 4));
        Assert.Null(Ask(FrameType.Write, fragments: 4, change: h => h->Magic = h->FragmentIndex == 2 ? (ushort)0 : FrameHeader.MagicValue));
        Assert.Equal(1, _cluster.Server.Counters.PagesWritten);
        Assert.True(_cluster.Server.PoolStatistics.FramesFree < _cluster.Server.PoolStatistics.FramesTotal - 1);
        // Nobody else wakes the server for it: it must know when it is due, and that nothing is afterwards.
        long due = _cluster.Server.WaitNs(_cluster.Network.NowNs);
        Assert.InRange(due, 1, new PageServerOptions().AssemblyAgeNsMax);
        _cluster.Server.Poll(_cluster.Network.NowNs + due);
        if (_cluster.Server.Counters.AssembliesDropped == 0) _cluster.Server.Poll(_cluster.Network.NowNs + due + _cluster.Server.WaitNs(_cluster.Network.NowNs + due));
        Assert.Equal(1, _cluster.Server.Counters.AssembliesDropped);
        Assert.Equal(long.MaxValue, _cluster.Server.WaitNs(_cluster.Network.NowNs));
        Assert.Equal(_cluster.Server.PoolStatistics.FramesTotal - 1, _cluster.Server.PoolStatistics.FramesFree);
    }

    [Fact]
    public void A_server_with_nothing_to_do_waits_without_end()
    {
        Ask(FrameType.Fence);
        Assert.Equal(PageStatus.Ok, Ask(FrameType.Write));
        Assert.Equal(PageStatus.Ok, Ask(FrameType.Write, fragments: 4));
        Assert.Equal(long.MaxValue, _cluster.Server.WaitNs(_cluster.Network.NowNs));
        _ = _cluster.Server.StartSignsAsync(new SiloId(1), []);
        _cluster.Server.Poll(_cluster.Network.NowNs);
        Assert.InRange(_cluster.Server.WaitNs(_cluster.Network.NowNs), 1, ObservedClock.LookNs);
        _ = _cluster.Server.StopSignsAsync();
        _cluster.Server.Poll(_cluster.Network.NowNs);
        Assert.Equal(long.MaxValue, _cluster.Server.WaitNs(_cluster.Network.NowNs));
    }

    [Fact]
    public void The_fragment_that_asks_is_told_what_misses()
    {
        Ask(FrameType.Fence);
        // The second one is damaged on its way; the last one asks.
        Assert.Equal(PageStatus.Incomplete, Ask(FrameType.Write, fragments: 4, change: h => Spoil(h, 1)));
        Assert.Equal(0b0010u, _said);
        Assert.Equal(0, _cluster.Server.Counters.PagesWritten);
        // The same request once more, of which all but the missing one is damaged.
        _counter--;
        Assert.Equal(PageStatus.Ok, Ask(FrameType.Write, fragments: 4, change: h => Spoil(h, 0, 2, 3)));
        Assert.Equal(1, _cluster.Server.Counters.PagesWritten);
        // It is there: only the one that asks is answered.
        _counter--;
        Assert.Equal(PageStatus.Ok, Ask(FrameType.Write, fragments: 4, change: h => Spoil(h)));
        Assert.Null(Answer());

        static void Spoil(FrameHeader* header, params ReadOnlySpan<byte> spoilt)
        {
            header->Magic = spoilt.Contains(header->FragmentIndex) ? (ushort)0 : FrameHeader.MagicValue;
            if (header->FragmentIndex == 3) header->Flags |= FrameFlags.Report;
        }
    }

    [Fact]
    public void Fragments_of_different_versions_are_not_joined()
    {
        Ask(FrameType.Fence);
        Assert.Null(Ask(FrameType.Write, fragments: 4, change: h => h->Sequence = 100ul + (ulong)(h->FragmentIndex / 2)));
        Assert.Equal(0, _cluster.Server.Counters.PagesWritten);
    }

    [Fact]
    public void Answers_are_no_requests()
    {
        Assert.Null(Ask(FrameType.HelloAnswer));
        Assert.Equal(1, _cluster.Server.Counters.Faults[(int)FrameFault.Type]);
    }

    [Fact]
    public void A_silo_that_restarted_is_left_alone_until_the_view_says_so()
    {
        using var cluster = new Cluster();
        SegmentHandle segment = Cluster.Handle(1, 5);
        Assert.Equal(PageStatus.Ok, cluster.Write(segment, 0, 1));
        ClusterView old = cluster.View(1);
        var life = new Incarnation(0x9999);
        using var pool = new PagePool(new PagePoolOptions { CapacityBytes = 1 << 20 });
        cluster.Servers[0].Dispose();
        cluster.Servers[0] = new PageServer(life, pool, [cluster.Network.CreateEndpoint()]);
        ClusterView renewed = cluster.View(2, epoch: 2);
        _ = cluster.Servers[0].SetViewAsync(renewed);
        var ends = new List<PageCompletion>();
        cluster.Client.SetRoutes(new ClientRoutes(
            new ShardMap(old), [new SiloRoute(new Incarnation(0x1000), cluster.ClientDriver, SimulatedNetwork.AddressOf(2))]));
        Assert.True(cluster.Client.TryRead(segment, 0, 1, 3));
        cluster.Until(() => cluster.Server.Counters.Refused[(int)PageStatus.StaleIncarnation] > 1, "refused twice", each: ends.Add);
        Assert.Empty(ends);
        cluster.Client.SetRoutes(new ClientRoutes(new ShardMap(renewed), [new SiloRoute(life, cluster.ClientDriver, SimulatedNetwork.AddressOf(2))]));
        cluster.Until(() => ends.Count == 1, "read ends at the new life", each: ends.Add);
        Assert.Equal(PageStatus.Zero, ends[0].Status);
    }

    [Fact]
    public void Given_up_requests_end_as_TimedOut()
    {
        using var cluster = new Cluster(views: false);
        Assert.True(cluster.Client.TryRead(Cluster.Handle(1, 0), 0, 3, 42));
        Assert.True(cluster.Client.TryRead(Cluster.Handle(1, 0), 9, 1, 43));
        cluster.Step();
        Assert.Equal(1, cluster.Client.Cancel(42));
        var ends = new List<PageCompletion>();
        cluster.Step(ends);
        Assert.Equal([0L, 1, 2], ends.Select(e => e.Page));
        Assert.All(ends, e => Assert.Equal((PageStatus.TimedOut, 42ul), (e.Status, e.Cookie)));
        Assert.Equal(1, cluster.Client.Outstanding);
    }
}
