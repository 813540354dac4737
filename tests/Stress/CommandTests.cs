using System.Runtime.InteropServices;
using Rum.Core;
using Rum.FastPath.Client;
using Rum.Pager;

namespace Rum.Stress.Tests;

public sealed unsafe class CommandTests
{
    private const int Page = Layout.PageSize;
    private const int Fault = 14;

    public static TheoryData<PagerMode> Modes => [PagerMode.Move, PagerMode.Copy];

    [Fact]
    public void Untouched_memory_of_a_fresh_segment_needs_no_round_trip_and_clean_zeros_are_never_written()
    {
        using PagerFixture rum = new(PagerMode.Move);
        nint at = rum.Map(1024 * Page);
        for (int p = 0; p < 1024; p++) Assert.Equal(0u, Native.Load(at + p * Page));
        PagerStatistics stats = rum.Pager.Statistics;
        Assert.Equal(0, stats.PagesFetched);
        Assert.Equal(0, stats.WriteBacks);
        Assert.True(stats.Evictions >= 700, $"{stats.Evictions} evictions");
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public void Discarded_pages_read_as_zeros_here_and_at_the_silo(PagerMode mode)
    {
        using PagerFixture rum = new(mode);
        SegmentHandle segment = rum.Segment(1024 * Page);
        nint at = rum.Map(1024 * Page, segment: segment);
        for (int p = 0; p < 1024; p++) Native.Store(at + p * Page, 5);
        Assert.Equal(RumError.None, rum.Pager.Flush(0, 0));
        Assert.True(rum.Store.Read(segment.Segment, 500) != null);
        Assert.Equal(RumError.None, rum.Pager.Discard(at + 100, 1000 * Page));
        Assert.Equal(5u, Native.Load(at));
        Assert.Equal(5u, Native.Load(at + 1000 * Page));
        for (int p = 1; p < 1000; p++)
        {
            Assert.Equal(0u, Native.Load(at + p * Page));
            Assert.True(rum.Store.Read(segment.Segment, p) == null);
        }
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public void Pinned_pages_stay_and_the_budget_is_kept(PagerMode mode)
    {
        using PagerFixture rum = new(mode);
        nint at = rum.Map(2048 * Page);
        for (int p = 0; p < 2048; p++) Native.Store(at + p * Page, (ulong)p);
        Assert.Equal(RumError.PinBudgetExceeded, rum.Pager.Pin(at, 256 * Page));
        Assert.Equal(RumError.None, rum.Pager.Pin(at + 100 * Page, 100 * Page));
        Assert.Equal(RumError.None, rum.Pager.Pin(at + 100 * Page, Page));
        Assert.Equal(100 * Page, rum.Pager.Statistics.PinnedBytes);
        Assert.Equal(RumError.PinBudgetExceeded, rum.Pager.Pin(at + 1000 * Page, 150 * Page));
        for (int p = 300; p < 2048; p++) Assert.Equal((ulong)p, Native.Load(at + p * Page));
        long fetched = rum.Pager.Statistics.PagesFetched;
        for (int p = 100; p < 200; p++) Assert.Equal((ulong)p, Native.Load(at + p * Page));
        Assert.Equal(fetched, rum.Pager.Statistics.PagesFetched);
        Assert.Equal(RumError.None, rum.Pager.Unpin(at + 100 * Page, 100 * Page));
        Assert.Equal(Page, rum.Pager.Statistics.PinnedBytes);
        Assert.Equal(RumError.InvalidArgument, rum.Pager.Unpin(at + 101 * Page, Page));
        Assert.Equal(RumError.None, rum.Pager.Unpin(at + 100 * Page, Page));
        Assert.Equal(0, rum.Pager.Statistics.PinnedBytes);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public void A_reader_sees_what_the_writer_flushed_and_cannot_store(PagerMode mode)
    {
        using PagerFixture rum = new(mode);
        SegmentHandle segment = rum.Segment(512 * Page);
        nint writer = rum.Map(512 * Page, segment: segment);
        nint reader = rum.Map(512 * Page, fresh: false, readOnly: true, segment: segment);
        for (int p = 0; p < 512; p++) Native.Store(writer + p * Page, 1);
        Assert.Equal(RumError.None, rum.Pager.Flush(writer, 512 * Page));
        for (int p = 0; p < 512; p++) Assert.Equal(1u, Native.Load(reader + p * Page));
        Native.Store(writer + 511 * Page, 2);
        Assert.Equal(RumError.None, rum.Pager.Flush(0, 0));
        Assert.Equal(RumError.None, rum.Pager.FlushAndDrop(reader, 512 * Page));
        Assert.Equal(2u, Native.Load(reader + 511 * Page));
        Assert.Equal(-Fault, ReadInto(reader));
        Assert.Equal(RumError.ReadOnly, rum.Pager.Discard(reader, Page));
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public void System_calls_work_with_remote_pointers(PagerMode mode)
    {
        using PagerFixture rum = new(mode);
        if (rum.Pager.UserModeOnly) Assert.Skip("userfaultfd is permitted for user mode only");
        nint at = rum.Map(1024 * Page);
        for (int p = 0; p < 1024; p++) Assert.Equal(8, ReadInto(at + p * Page));
        for (int p = 0; p < 1024; p++) Assert.Equal(0x0807060504030201u, Native.Load(at + p * Page));
    }

    [Fact]
    public void A_region_grows_and_shrinks_and_its_end_is_a_fault()
    {
        using PagerFixture rum = new(PagerMode.Move);
        nint at = rum.Map(10 * Page, reserved: 100 * Page);
        Assert.Equal(-Fault, ReadInto(at + 10 * Page));
        Assert.Equal(RumError.None, rum.Pager.Resize(at, 50 * Page));
        Native.Store(at + 49 * Page, 9);
        Assert.Equal(RumError.None, rum.Pager.Resize(at, 20 * Page));
        Assert.Equal(-Fault, ReadInto(at + 20 * Page));
        Assert.Equal(RumError.None, rum.Pager.Resize(at, 100 * Page));
        Assert.Equal(0u, Native.Load(at + 49 * Page));
        Assert.Equal(RumError.InvalidArgument, rum.Pager.Resize(at, 101 * Page));
        Assert.Equal(-Fault, ReadInto(at + 100 * Page));
        Assert.Equal(RumError.BadPointer, rum.Pager.Flush(at + 99 * Page, 2 * Page));
        Assert.Equal(RumError.BadPointer, rum.Pager.Unmap(at + Page, false));
        Assert.Equal(RumError.None, rum.Pager.Unmap(at, false));
        Assert.Equal(-Fault, ReadInto(at));
    }

    [Fact]
    public void A_closed_range_is_nobodys_for_the_next_16_TiB_of_closings_and_then_free()
    {
        const long Kept = 1L << 44, Bytes = 1L << 39;
        using PagerFixture rum = new(PagerMode.Move);
        List<nint> closed = [];
        for (int i = 0; i < 4 * Kept / Bytes; i++)
        {
            nint at = rum.Map(Page, reserved: Bytes);
            foreach (nint before in closed.TakeLast((int)(Kept / Bytes)))
                Assert.False((long)at < before + Bytes && (long)before < at + Bytes, $"closing {i}: 0x{before:x} was given away again");
            Assert.Equal(RumError.None, rum.Pager.Unmap(at, false));
            closed.Add(at);
        }
        Assert.InRange(Unusable(), Kept, 2 * Kept);
    }

    /// <summary>Bytes of this process' address space that nobody may touch.</summary>
    private static long Unusable() => File.ReadLines("/proc/self/maps").Select(line => line.Split(' ')).Where(words => words[1] == "---p")
        .Select(words => words[0].Split('-')).Sum(ends => Convert.ToInt64(ends[1], 16) - Convert.ToInt64(ends[0], 16));

    [Fact]
    public void A_revoked_pager_refuses_and_its_pages_are_gone_and_waiting_faults_end()
    {
        using PagerFixture rum = new(PagerMode.Move);
        nint at = rum.Map(10 * Page, fresh: false);
        rum.Channel.Stalled = true;
        nint waited = 0;
        Thread waiting = new(() => waited = ReadInto(at + 5 * Page));
        waiting.Start();
        Assert.True(SpinWait.SpinUntil(() => rum.Pager.Statistics.FaultsWaiting == 1, PagerFixture.PatienceMs), "no fault came");
        rum.Pager.Revoke(RumError.SessionExpired);
        Assert.True(waiting.Join(PagerFixture.PatienceMs), "the waiting fault did not end");
        Assert.Equal(-Fault, waited);
        Assert.Equal(-Fault, ReadInto(at));
        Assert.Equal(RumError.SessionExpired, rum.Pager.Flush(0, 0));
        Assert.Equal(RumError.SessionExpired, rum.Pager.Map(default, out _));
        rum.Channel.Stalled = false;
    }

    [Fact]
    public void A_session_may_end_while_its_program_ends()
    {
        for (int round = 0; round < 100; round++)
        {
            PagerFixture rum = new(PagerMode.Move);
            rum.Map(10 * Page);
            using Barrier both = new(2);
            Thread other = new(() =>
            {
                both.SignalAndWait();
                for (int i = 0; i < 20; i++) rum.Pager.Revoke(RumError.SessionExpired);
            });
            other.Start();
            both.SignalAndWait();
            rum.Dispose();
            Assert.True(other.Join(PagerFixture.PatienceMs), "the revoking thread did not end");
        }
    }

    [Fact]
    public void A_page_that_cannot_be_had_is_named_each_second_and_given_up_after_the_fault_timeout()
    {
        PagerOptions options = new() { FaultTimeout = TimeSpan.FromSeconds(3), Describe = (_, _) => "shard 3 on silo 7" };
        using PagerFixture rum = new(PagerMode.Move, options: options);
        nint at = rum.Map(10 * Page, fresh: false);
        rum.Channel.Refuse = PageStatus.NotReady;
        Assert.Equal(-Fault, ReadInto(at + 5 * Page));
        Assert.Contains(rum.Log, line => line.Contains("page 5 of segment 1") && line.Contains("shard 3 on silo 7") && line.Contains("NotReady") && line.Contains("is waited for"));
        Assert.Contains(rum.Log, line => line.Contains("SIGBUS"));
        rum.Channel.Refuse = PageStatus.Ok;
        Assert.Equal(8, ReadInto(at + 6 * Page));
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public void A_lost_page_fails_at_once_by_name_also_in_a_pin_and_a_flush(PagerMode mode)
    {
        using PagerFixture rum = new(mode);
        nint at = rum.Map(10 * Page, fresh: false);
        Native.Store(at + 9 * Page, 3);
        rum.Channel.Refuse = PageStatus.Lost;
        for (int i = 0; i < 2000; i++) Assert.Equal(-Fault, ReadInto(at + i % 9 * Page));
        Assert.Contains(rum.Log, line => line.Contains("page 5 of segment 1") && line.Contains("Lost") && line.Contains("SIGBUS"));
        Assert.Equal(RumError.ShardLost, rum.Pager.Pin(at, 10 * Page));
        Assert.Equal(RumError.ShardLost, rum.Pager.Flush(at, 10 * Page));
        Assert.Equal(RumError.ShardLost, rum.Pager.FlushAndDrop(0, 0));
        Assert.Equal(0, rum.Pager.Statistics.PinnedBytes);
        Assert.Equal(3u, Native.Load(at + 9 * Page));
        Assert.Equal(0, rum.Pager.Statistics.FaultsWaiting);
        // What an operator brings back is there again, also where a fault was given up.
        rum.Channel.Refuse = PageStatus.Ok;
        Assert.Equal(RumError.None, rum.Pager.Pin(at, 10 * Page));
        for (int i = 0; i < 9; i++) Assert.Equal(8, ReadInto(at + i * Page));
        Assert.Equal(RumError.None, rum.Pager.Flush(at, 10 * Page));
    }

    [Fact]
    public void A_call_that_does_not_come_on_ends_with_the_fault_timeout_and_what_it_wrote_is_kept()
    {
        using PagerFixture rum = new(PagerMode.Move, options: new PagerOptions { FaultTimeout = TimeSpan.FromSeconds(3) });
        SegmentHandle segment = rum.Segment(10 * Page);
        nint at = rum.Map(10 * Page, segment: segment);
        Native.Store(at, 7);
        rum.Channel.Stalled = true;
        Assert.Equal(RumError.Timeout, rum.Pager.Flush(at, 10 * Page));
        rum.Channel.Stalled = false;
        Assert.Equal(RumError.None, rum.Pager.Flush(at, 10 * Page));
        Assert.Equal(7ul, *(ulong*)rum.Store.Read(segment.Segment, 0));
    }

    [Fact]
    public void Discards_resizes_and_unmaps_that_do_not_come_on_end_with_the_fault_timeout_and_can_be_repeated()
    {
        using PagerFixture rum = new(PagerMode.Move, options: new PagerOptions { FaultTimeout = TimeSpan.FromSeconds(3) });
        SegmentHandle segment = rum.Segment(100 * Page);
        nint at = rum.Map(100 * Page, segment: segment);
        for (int p = 0; p < 100; p++) Native.Store(at + p * Page, 7);
        Assert.Equal(RumError.None, rum.Pager.FlushAndDrop(at, 100 * Page));
        Native.Store(at, 8);
        rum.Channel.Stalled = true;
        Assert.Equal(RumError.Timeout, rum.Pager.Discard(at + 10 * Page, 10 * Page));
        Assert.Equal(RumError.Timeout, rum.Pager.Resize(at, 50 * Page));
        Assert.Equal(RumError.Timeout, rum.Pager.Unmap(at, writeBack: true));
        Assert.Contains(rum.Log, line => line.Contains("page 10 of segment 1") && line.Contains("can't be written back since"));
        rum.Channel.Stalled = false;
        Assert.Equal(8u, Native.Load(at));
        Assert.Equal(RumError.None, rum.Pager.Discard(at + 10 * Page, 10 * Page));
        Assert.Equal(0u, Native.Load(at + 15 * Page));
        Assert.Equal(RumError.None, rum.Pager.Resize(at, 50 * Page));
        Assert.Equal(-Fault, ReadInto(at + 50 * Page));
        Assert.Equal(RumError.None, rum.Pager.Unmap(at, writeBack: true));
        Assert.True(rum.Store.Read(segment.Segment, 15) == null && rum.Store.Read(segment.Segment, 60) == null);
        Assert.Equal(8ul, *(ulong*)rum.Store.Read(segment.Segment, 0));
        Assert.Equal(-Fault, ReadInto(at));
    }

    [Fact]
    public void Discards_of_what_is_lost_or_has_another_writer_say_so()
    {
        using PagerFixture rum = new(PagerMode.Move);
        nint at = rum.Map(10 * Page, fresh: false);
        rum.Channel.Refuse = PageStatus.Lost;
        Assert.Equal(RumError.ShardLost, rum.Pager.Discard(at, 5 * Page));
        rum.Channel.Refuse = PageStatus.Fenced;
        Assert.Equal(RumError.Fenced, rum.Pager.Discard(at + 5 * Page, 5 * Page));
        rum.Channel.Refuse = PageStatus.Ok;
        Assert.Equal(RumError.None, rum.Pager.Unmap(at, writeBack: true));
    }

    [Fact]
    public void A_page_of_a_freed_segment_is_given_up_when_no_session_ended_over_it()
    {
        using PagerFixture rum = new(PagerMode.Move, options: new PagerOptions { GoneTimeout = TimeSpan.FromSeconds(2) });
        nint at = rum.Map(10 * Page, fresh: false);
        rum.Channel.Refuse = PageStatus.Gone;
        Assert.Equal(-Fault, ReadInto(at + 5 * Page));
        Assert.Contains(rum.Log, line => line.Contains("page 5 of segment 1") && line.Contains("(Gone)") && line.Contains("SIGBUS"));
        Assert.Equal(RumError.NotFound, rum.Pager.Pin(at, Page));
        Assert.Equal(RumError.None, rum.Pager.Prefetch(at + Page, Page));
        Assert.Equal(RumError.None, rum.Pager.Unmap(at, writeBack: true));
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public void Where_changed_pages_of_lost_shards_fill_the_cache_whoever_needs_room_is_told_so_in_time(PagerMode mode)
    {
        using PagerFixture rum = new(mode, options: new PagerOptions { GoneTimeout = TimeSpan.FromSeconds(2) });
        nint at = rum.Map(1000 * Page), other = rum.Map(10 * Page);
        rum.Channel.Refuse = PageStatus.Lost;
        int page = 0;
        while (page < 1000 && ReadInto(at + page * Page) == 8) page++;
        Assert.InRange(page, 100, 999);
        Assert.Contains(rum.Log, line => line.Contains($"page {page} of segment 1") && line.Contains("no room") && line.Contains("SIGBUS"));
        Assert.Contains(rum.Log, line => line.Contains("can't be written back since") && line.Contains("(Lost)"));
        Assert.Equal(RumError.ShardLost, rum.Pager.Pin(other, Page));
        Assert.Equal(RumError.ShardLost, rum.Pager.Flush(at, 1000 * Page));
        Assert.Equal(0, rum.Pager.Statistics.FaultsWaiting);
        // Nothing of what was stored is gone, and there is room again as soon as the shards are mended.
        rum.Channel.Refuse = PageStatus.Ok;
        Assert.Equal(RumError.None, rum.Pager.Pin(at + page * Page, Page));
        Assert.True(SpinWait.SpinUntil(() => rum.Pager.Flush(at, 1000 * Page) == RumError.None, PagerFixture.PatienceMs), "pages refused as lost are offered again");
        for (int i = 0; i < page; i++) Assert.Equal(0x0807060504030201ul, Native.Load(at + i * Page));
        Assert.Equal(8, ReadInto(other));
    }

    private static readonly int[] Ends = MakePipe();

    private static int[] MakePipe()
    {
        int* ends = stackalloc int[2];
        return Native.Pipe(ends) == 0 ? [ends[0], ends[1]] : throw new InvalidOperationException("pipe");
    }

    /// <summary>read(2) of eight bytes into an address; minus the error number when it fails.</summary>
    private static nint ReadInto(nint address)
    {
        lock (Ends)
        {
            ulong value = 0x0807060504030201;
            Native.Write(Ends[1], &value, 8);
            nint n = Native.Read(Ends[0], (void*)address, 8);
            if (n >= 0) return n;
            n = -Marshal.GetLastPInvokeError();
            Native.Read(Ends[0], &value, 8);
            return n;
        }
    }
}
