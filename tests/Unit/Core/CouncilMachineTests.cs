using Rum.Core;
using Rum.Core.Council;

namespace Rum.Tests.Unit.Core;

public sealed class CouncilMachineTests
{
    private const long Extent = Layout.ExtentSize;
    private readonly CouncilBench _council = new();

    [Fact]
    public void A_session_is_opened_once_per_nonce()
    {
        var first = (SessionResult)_council.Say(new OpenSession(7, "", "a", 500));
        var again = (SessionResult)_council.Say(new OpenSession(7, "", "a", 500));
        var other = (SessionResult)_council.Say(new OpenSession(8, "", "a", 0));
        Assert.Equal(first.Session, again.Session);
        Assert.NotEqual(first.Session, other.Session);
        Assert.Equal(500, first.LeaseMs);
        Assert.Equal(CouncilMachine.DefaultLeaseMs, other.LeaseMs);
    }

    [Fact]
    public void A_repeated_request_is_answered_from_its_slot()
    {
        _council.Join("a", 4 * Extent);
        SessionId session = _council.Session();
        var id = new RequestId(session, 3, 1);
        var allocate = new Allocate(session, 0, Extent, 1, 0, default);
        Result first = _council.Say(id, allocate);
        Result again = _council.Say(id, allocate);
        Assert.Same(first, again);
        Assert.Equal(1, _council.Status.Segments);
        Assert.Equal(RumError.None, _council.Say(id with { Counter = 2 }, allocate).Error);
        Assert.Equal(RumError.InvalidArgument, _council.Say(id, allocate).Error);
        Assert.Equal(2, _council.Status.Segments);
        Assert.Equal(RumError.InvalidArgument, _council.Say(id with { Slot = RequestId.MaxSlots }, allocate).Error);
        Assert.Equal(RumError.InvalidArgument, _council.Say(default, allocate).Error);
    }

    [Fact]
    public void Allocation_charges_whole_pages_on_the_silos_that_hold_them()
    {
        _council.Join("a", 4 * Extent);
        SessionId session = _council.Session();
        SegmentResult result = _council.Allocate(session, Extent + 1);
        Assert.Equal(Extent + Layout.PageSize, _council.Charged);
        Assert.NotEqual(0UL, result.Token);
        _council.Machine.Verify();
    }

    [Theory]
    [InlineData(0L)]
    [InlineData(-1L)]
    [InlineData(Layout.MaxSegmentSize + 1)]
    [InlineData(long.MaxValue)]
    public void Absurd_sizes_are_refused(long size)
    {
        _council.Join("a", 4 * Extent);
        Assert.Equal(RumError.InvalidArgument, _council.TryAllocate(_council.Session(), size, out _));
        Assert.Equal(0, _council.Charged);
    }

    [Fact]
    public void Out_of_memory_says_what_is_free_where()
    {
        _council.Join("a", Extent);
        _council.Join("b", 2 * Extent);
        _council.Allocate(_council.Session(), Extent / 2, silo: new SiloId(1));
        Assert.Equal(RumError.OutOfMemory, _council.TryAllocate(_council.Session(), 48 * Extent, out string message));
        Assert.Contains("no room for 3 GiB", message);
        Assert.Contains("silo a has 32 MiB free of 64 MiB", message);
        Assert.Contains("silo b has 128 MiB free of 128 MiB", message);
    }

    [Fact]
    public void Without_a_silo_that_offers_memory_nothing_is_allocated()
    {
        Assert.Equal(RumError.OutOfMemory, _council.TryAllocate(_council.Session(), 1, out string message));
        Assert.Contains("rum silo run", message);
        _council.Join("witness", 0);
        Assert.Equal(RumError.OutOfMemory, _council.TryAllocate(_council.Session(), 1, out _));
        Assert.Equal(64, _council.Status.Unassigned);
    }

    [Fact]
    public void A_small_allocation_finds_the_silo_that_has_room()
    {
        SiloId a = _council.Join("a", 4 * Extent);
        SiloId b = _council.Join("b", 4 * Extent);
        SessionId session = _council.Session();
        _council.Allocate(session, 4 * Extent, silo: a);
        for (int i = 0; i < 4; i++) Assert.Equal(RumError.None, _council.TryAllocate(session, Extent, out _));
        Assert.Equal(4 * Extent, _council.Status.Members.Single(member => member.Member.Id == b).Charged);
        Assert.Equal(RumError.OutOfMemory, _council.TryAllocate(session, 1, out _));
    }

    [Fact]
    public void Freed_room_comes_back_when_the_silo_has_dropped_it()
    {
        SiloId silo = _council.Join("a", 2 * Extent);
        SessionId session = _council.Session();
        SegmentResult first = _council.Allocate(session, 2 * Extent);
        Assert.Equal(RumError.None, _council.Say(new Free(session, first.Segment, 0)).Error);
        Assert.Equal(RumError.Pending, _council.TryAllocate(session, Extent, out _));
        Assert.Equal(RumError.OutOfMemory, _council.TryAllocate(session, 3 * Extent, out _));
        Drop drop = Assert.Single(_council.Drops(silo));
        Assert.True(drop.Freed);
        Assert.Equal(first.Segment, drop.Segment);
        Assert.Equal(2 * Extent, drop.Bytes);
        Assert.Equal(RumError.StaleView, _council.Say(new Dropped(silo, new Incarnation(1), drop.Sequence)).Error);
        _council.Say(new Dropped(silo, _council.Life(silo), drop.Sequence - 1));
        Assert.Equal(2 * Extent, _council.Charged);
        _council.Say(new Dropped(silo, _council.Life(silo), drop.Sequence));
        Assert.Equal(0, _council.Charged);
        Assert.Equal(RumError.None, _council.TryAllocate(session, 2 * Extent, out _));
    }

    [Fact]
    public void Free_and_double_free()
    {
        _council.Join("a", 2 * Extent);
        SessionId session = _council.Session(), stranger = _council.Session();
        SegmentResult segment = _council.Allocate(session, Extent);
        Assert.Equal(RumError.NotFound, _council.Say(new Free(stranger, segment.Segment, 0)).Error);
        Assert.Equal(RumError.NotFound, _council.Say(new Free(session, default, 0)).Error);
        Assert.Equal(RumError.None, _council.Say(new Free(session, segment.Segment, 0)).Error);
        Assert.Equal(RumError.NotFound, _council.Say(new Free(session, segment.Segment, 0)).Error);
        _council.Machine.Verify();
    }

    [Fact]
    public void Named_segments_have_one_writer_with_rising_tokens()
    {
        _council.Join("a", 2 * Extent);
        SessionId one = _council.Session("one"), two = _council.Session("two");
        SegmentResult made = _council.Allocate(one, 100, "table");
        Assert.Equal(RumError.AlreadyExists, _council.TryAllocate(two, 100, out _, "table"));
        Result busy = _council.Open(two, "table", OpenMode.Write);
        Assert.Equal(RumError.SegmentBusy, busy.Error);
        Assert.Contains("one", busy.Message);
        var reader = (SegmentResult)_council.Open(two, "table", OpenMode.WriteElseRead);
        Assert.Equal(0UL, reader.Token);
        Assert.Equal(100, reader.Size);
        Assert.Equal(RumError.ReadOnly, _council.Say(new Resize(two, made.Segment, 200)).Error);
        Assert.Equal(RumError.SegmentBusy, _council.Say(new Free(two, made.Segment, 0)).Error);
        Assert.Equal(RumError.SegmentBusy, _council.Say(new Free(default, default, made.Key)).Error);
        Assert.Equal(made.Token, ((SegmentResult)_council.Open(one, "table", OpenMode.Write)).Token);
        _council.Say(new Close(one, made.Segment));
        var writer = (SegmentResult)_council.Open(two, "table", OpenMode.WriteElseRead);
        Assert.True(writer.Token > made.Token);
        Assert.Equal(RumError.NotFound, _council.Open(one, "absent", OpenMode.Read).Error);
        _council.Say(new CloseSession(two));
        Assert.Equal(RumError.None, _council.Say(new Free(default, default, made.Key)).Error);
        _council.Machine.Verify();
        Assert.Equal(RumError.NotFound, _council.Open(one, "table", OpenMode.Read).Error);
    }

    [Fact]
    public void The_end_of_a_session_frees_its_anonymous_memory_and_keeps_the_named()
    {
        _council.Join("a", 4 * Extent);
        SessionId session = _council.Session();
        _council.Allocate(session, Extent);
        SegmentResult named = _council.Allocate(session, Extent, "kept");
        Assert.Equal(RumError.None, _council.Say(new Expire(session, 5)).Error);
        Assert.Equal(RumError.None, _council.Say(new Expire(session, 5)).Error);
        Assert.Equal(RumError.None, _council.Say(new CloseSession(session)).Error);
        _council.DropAll();
        Assert.Equal(Extent, _council.Charged);
        Result late = _council.Say(new Allocate(session, 0, 1, 1, 0, default));
        Assert.Equal(RumError.SessionExpired, late.Error);
        Assert.Equal(RumError.SessionExpired, _council.Machine.Query(new Heartbeat(session)).Error);
        Assert.True(((SegmentResult)_council.Open(_council.Session(), "kept", OpenMode.Write)).Token > named.Token);
        _council.Machine.Verify();
    }

    [Fact]
    public void Growth_waits_for_the_drop_of_what_was_cut_off()
    {
        SiloId silo = _council.Join("a", 8 * Extent);
        SessionId session = _council.Session();
        SegmentResult segment = _council.Allocate(session, (2 * Extent) + (Extent / 2));
        _council.Say(new Resize(session, segment.Segment, Extent + (Extent / 2)));
        Drop drop = Assert.Single(_council.Drops(silo));
        Assert.Equal((Layout.PagesPerExtent * 3 / 2, Layout.PagesPerExtent, Extent), (drop.FirstPage, drop.PageCount, drop.Bytes));
        Assert.False(drop.Freed);
        Assert.Equal(RumError.Pending, _council.Say(new Resize(session, segment.Segment, 2 * Extent)).Error);
        _council.DropAll();
        Assert.Equal(RumError.None, _council.Say(new Resize(session, segment.Segment, 2 * Extent)).Error);
        Assert.Equal(2 * Extent, _council.Charged);
        _council.Machine.Verify();
    }

    [Fact]
    public void Extents_are_given_back_and_charged_again()
    {
        _council.Join("a", 8 * Extent);
        SessionId session = _council.Session();
        SegmentResult segment = _council.Allocate(session, (4 * Extent) - Layout.PageSize);
        Assert.Equal(RumError.None, _council.Say(new ChargeExtents(session, segment.Segment, 1, 3, false)).Error);
        Assert.Equal(RumError.Pending, _council.Say(new ChargeExtents(session, segment.Segment, 0, 4, true)).Error);
        _council.DropAll();
        Assert.Equal(Extent, _council.Charged);
        Assert.Equal(RumError.None, _council.Say(new ChargeExtents(session, segment.Segment, 2, 2, true)).Error);
        Assert.Equal((3 * Extent) - Layout.PageSize, _council.Charged);
        Assert.Equal(RumError.InvalidArgument, _council.Say(new ChargeExtents(session, segment.Segment, 2, 3, true)).Error);
        Assert.Equal(RumError.InvalidArgument, _council.Say(new ChargeExtents(session, segment.Segment, -1, 2, true)).Error);
        Assert.Equal(RumError.InvalidArgument, _council.Say(new ChargeExtents(session, segment.Segment, 0, int.MinValue, true)).Error);
        _council.Machine.Verify();
    }

    [Fact]
    public void A_restarted_silo_loses_what_it_held_and_serves_the_rest_anew()
    {
        SiloId silo = _council.Join("a", 8 * Extent);
        SessionId session = _council.Session();
        SegmentResult segment = _council.Allocate(session, 2 * Extent, "data");
        uint epoch = _council.View.Shards[segment.FirstShard.Value].Epoch;
        Assert.Equal(silo, _council.Join("a", 8 * Extent));
        ShardView lost = _council.View.Shards[segment.FirstShard.Value];
        Assert.Equal(ShardState.Lost, lost.State);
        Assert.Equal(silo, Assert.Single(lost.Replicas).Silo);
        Assert.True(lost.Epoch > epoch);
        Assert.Equal(2, _council.Status.Lost);
        Assert.Equal(0, _council.Charged);
        Assert.All(_council.View.Shards.Where(shard => shard.State == ShardState.Served), shard => Assert.Equal(_council.Life(silo), shard.Replicas[0].Incarnation));
        Assert.Equal(RumError.ShardLost, _council.Say(new Resize(session, segment.Segment, (64 + 2) * Extent)).Error);
        _council.Say(new Free(session, segment.Segment, 0));
        Assert.Equal(0, _council.Status.Lost);
        Assert.Equal(ShardState.Served, _council.View.Shards[segment.FirstShard.Value].State);
        _council.Machine.Verify();
    }

    [Fact]
    public void Joins_are_idempotent_and_former_lives_are_refused()
    {
        Member first = CouncilBench.Silo("a", 1, Extent), second = CouncilBench.Silo("a", 2, Extent);
        var joined = (JoinResult)_council.Say(new Join(first));
        ulong decree = _council.Machine.ViewDecree;
        Assert.Equal(joined.Silo, ((JoinResult)_council.Say(new Join(first))).Silo);
        Assert.Equal(decree, _council.Machine.ViewDecree);
        Assert.Equal(joined.Silo, ((JoinResult)_council.Say(new Join(second))).Silo);
        Assert.Equal(RumError.StaleView, _council.Say(new Join(first)).Error);
        Assert.Equal(RumError.StaleView, _council.Say(new Leave(joined.Silo, new Incarnation(1))).Error);
        Assert.Equal(RumError.None, _council.Say(new Leave(joined.Silo, new Incarnation(2))).Error);
        Assert.Equal(RumError.StaleView, _council.Say(new Join(second)).Error);
        Assert.Equal(RumError.StaleView, _council.Machine.Query(new SiloHeartbeat(joined.Silo, new Incarnation(2), 0)).Error);
        Assert.Equal(64, _council.Status.Unassigned);
        Assert.Equal(RumError.None, _council.Say(new Join(second with { Incarnation = new Incarnation(3) })).Error);
        Assert.Equal(RumError.InvalidArgument, _council.Say(new Join(second with { Incarnation = default })).Error);
    }

    [Fact]
    public void Another_name_at_the_same_endpoint_ends_the_former_life()
    {
        SiloId old = _council.Join("a", Extent);
        Result result = _council.Say(new Join(CouncilBench.Silo("b", 9, Extent) with { Endpoint = "a:7400" }));
        Assert.Equal(RumError.None, result.Error);
        Assert.Equal(MemberState.Left, _council.View.Members.Single(member => member.Id == old).State);
        _council.Machine.Verify();
    }

    [Fact]
    public void Empty_shards_move_when_a_silo_joins_and_others_are_learned()
    {
        SiloId a = _council.Join("a", 64 * Extent);
        SegmentResult segment = _council.Allocate(_council.Session(), 16 * Extent);
        ClusterView before = _council.View;
        _council.Join("b", 64 * Extent);
        int moved = 0;
        for (int i = 0; i < 64; i++)
        {
            bool held = (i - segment.FirstShard.Value + 64) % 64 < 16;
            ShardView now = _council.View.Shards[i];
            bool same = now.Replicas[0].Silo == a;
            // What holds extents stays readable where it is; the new silo learns its share of it.
            if (held) Assert.True(same && now.Replicas.Count == (now.Epoch == before.Shards[i].Epoch ? 1 : 2));
            if (!same) { moved++; Assert.True(now.Epoch > before.Shards[i].Epoch); }
        }
        Assert.InRange(moved, 16, 40);
    }

    [Fact]
    public void Pinned_allocations_stay_on_their_silo()
    {
        SiloId a = _council.Join("a", 8 * Extent);
        SiloId b = _council.Join("b", 8 * Extent);
        SessionId session = _council.Session();
        SegmentResult one = _council.Allocate(session, 3 * Extent, silo: b), two = _council.Allocate(session, Extent, silo: b);
        Assert.True(one.FirstShard.Value >= 64);
        Assert.Equal(one.FirstShard, two.FirstShard);
        Assert.True((one.Flags & SegmentFlags.Pinned) != 0);
        Assert.Equal(b, _council.View.Shards[one.FirstShard.Value].Replicas[0].Silo);
        Assert.Equal(4 * Extent, _council.Status.Members.Single(member => member.Member.Id == b).Charged);
        Assert.Equal(0, _council.Status.Members.Single(member => member.Member.Id == a).Charged);
        Assert.Equal(RumError.UnknownSilo, _council.TryAllocate(session, 1, out _, silo: new SiloId(99)));
        Assert.Equal(RumError.InvalidArgument, _council.TryAllocate(session, 1, out _, flags: SegmentFlags.Pinned));

        // After a restart the old shard is lost; another one is made meanwhile, and the old one comes back when it is empty.
        _council.Join("b", 8 * Extent);
        Assert.Equal(ShardState.Lost, _council.View.Shards[one.FirstShard.Value].State);
        SegmentResult three = _council.Allocate(session, Extent, silo: b);
        Assert.NotEqual(one.FirstShard, three.FirstShard);
        _council.Say(new Free(session, one.Segment, 0));
        _council.Say(new Free(session, two.Segment, 0));
        Assert.Equal(ShardState.Served, _council.View.Shards[one.FirstShard.Value].State);
        _council.Machine.Verify();
    }

    [Fact]
    public void A_sparse_tebibyte_charges_nothing()
    {
        _council.Join("a", Extent);
        SessionId session = _council.Session();
        SegmentResult segment = _council.Allocate(session, 1L << 40, "sparse", SegmentFlags.Sparse);
        Assert.Equal(0, _council.Charged);
        _council.Say(new Resize(session, segment.Segment, 1L << 44));
        _council.Say(new Resize(session, segment.Segment, 1));
        _council.Machine.Verify();
        var shown = Assert.IsType<SegmentAnswer>(_council.Machine.Query(new ShowSegment(segment.Key, default)));
        Assert.Equal((1L, 0L), (shown.Details!.Places.Single().Extents, shown.Details.Info.Charged));
    }

    [Fact]
    public void Queries_page_through_lists()
    {
        _council.Join("a", 64 * Extent);
        SessionId session = _council.Session();
        for (int i = 0; i < 10; i++) _council.Allocate(session, 1 + i, $"segment{i}");
        var first = (SegmentsAnswer)_council.Machine.Query(new ListSegments(default, 7));
        var second = (SegmentsAnswer)_council.Machine.Query(new ListSegments(first.Segments[^1].Id, 7));
        Assert.Equal((7, true, 3, false), (first.Segments.Count, first.More, second.Segments.Count, second.More));
        var sessions = (SessionsAnswer)_council.Machine.Query(new ListSessions(default, 7));
        Assert.Equal(10, Assert.Single(sessions.Sessions).Segments);
        Assert.Equal(RumError.NotFound, _council.Machine.Query(new ShowSegment(1, default)).Error);
        ulong decree = _council.Machine.ViewDecree;
        Assert.Null(((ViewAnswer)_council.Machine.Query(new GetView(decree))).View);
        Assert.Same(_council.View, ((ViewAnswer)_council.Machine.Query(new GetView(decree - 1))).View);
    }

    [Fact]
    public void A_session_that_has_ended_gets_no_view_any_more()
    {
        _council.Join("a", 64 * Extent);
        SessionId session = _council.Session();
        Assert.NotNull(((ViewAnswer)_council.Machine.Query(new GetView(0, session))).View);
        _council.Say(new CloseSession(session));
        CouncilAnswer answer = _council.Machine.Query(new GetView(0, session));
        Assert.Equal(RumError.SessionExpired, answer.Error);
        Assert.IsNotType<ViewAnswer>(answer);
        Assert.NotNull(((ViewAnswer)_council.Machine.Query(new GetView(0))).View);
    }

    [Fact]
    public void An_audit_names_what_was_freed_and_neither_what_lives_nor_what_is_not_known_yet()
    {
        _council.Join("a", 4 * Extent);
        SessionId session = _council.Session();
        SegmentResult lives = _council.Allocate(session, Extent), freed = _council.Allocate(session, Extent);
        _council.Say(new Free(session, freed.Segment, default));
        var answer = (DropsAnswer)_council.Machine.Query(new Audit([lives.Segment, freed.Segment, new SegmentId(freed.Segment.Value + 1)]));
        Drop drop = Assert.Single(answer.Drops);
        Assert.Equal((freed.Segment, true, 0ul), (drop.Segment, drop.Freed, drop.Sequence));
    }

    [Fact]
    public void An_audit_of_extents_names_what_lies_behind_the_end_and_what_was_given_back()
    {
        _council.Join("a", 16 * Extent);
        SessionId session = _council.Session();
        SegmentResult whole = _council.Allocate(session, 4 * Extent), cut = _council.Allocate(session, 4 * Extent), gone = _council.Allocate(session, Extent);
        _council.Say(new Resize(session, cut.Segment, Extent + 3 * Layout.PageSize));
        _council.Say(new ChargeExtents(session, whole.Segment, 2, 1, Charged: false));
        _council.Say(new Free(session, gone.Segment, default));
        ExtentId[] asked = [.. from segment in new[] { whole.Segment, cut.Segment, gone.Segment } from extent in Enumerable.Range(0, 4) select new ExtentId(segment, (uint)extent)];
        var answer = (DropsAnswer)_council.Machine.Query(new AuditExtents(asked));
        long per = Layout.PagesPerExtent;
        Assert.Equal(
            [(whole.Segment, 2 * per, per), (cut.Segment, per + 3, per - 3), (cut.Segment, 2 * per, per), (cut.Segment, 3 * per, per)],
            answer.Drops.Select(drop => (drop.Segment, drop.FirstPage, drop.PageCount)));
        Assert.All(answer.Drops, drop => Assert.True(!drop.Freed && drop.Sequence == 0));
    }
}
