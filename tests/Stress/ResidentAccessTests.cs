using System.Diagnostics;
using Rum.Core;
using Rum.FastPath.Client;
using Rum.Pager;

namespace Rum.Stress.Tests;

/// <summary>What application threads do beside the pager thread: pins and copies of resident pages, while pages and regions come and go.</summary>
public sealed unsafe class ResidentAccessTests
{
    private const int Page = Layout.PageSize;
    private static readonly TimeSpan Bound = TimeSpan.FromMilliseconds(PagerFixture.PatienceMs);

    public static TheoryData<PagerMode> Modes => [PagerMode.Move, PagerMode.Copy];

    [Theory]
    [MemberData(nameof(Modes))]
    public void A_pinned_page_stays_resident_while_everything_else_goes(PagerMode mode)
    {
        using PagerFixture rum = new(mode);
        const int pages = 1024;
        nint at = rum.Map(pages * Page);
        Native.Store(at, 42);
        // A store ends when the page is mapped; the pager writes it down a moment later, and after a command it has.
        Assert.Equal(RumError.None, rum.Pager.Flush(at, Page));
        Assert.Equal(RumError.None, rum.Pager.TryPin(at, Page));
        for (int p = 1; p < pages; p++) Native.Store(at + p * Page, (ulong)p);
        Assert.Equal(Page, rum.Pager.Statistics.PinnedBytes);
        Assert.Equal(RumError.None, rum.Pager.Flush(at, Page));
        long faults = rum.Pager.Statistics.Faults;
        ulong value = 0;
        Assert.Equal(RumError.None, rum.Pager.TryCopy(at, (nint)(&value), 8, false));
        Assert.Equal(42u, value);
        Assert.Equal(faults, rum.Pager.Statistics.Faults);

        rum.Pager.EndTryPin(at, Page);
        Assert.Equal(0, rum.Pager.Statistics.PinnedBytes);
        for (int p = 1; p < pages; p++) Native.Load(at + p * Page);
        Assert.Equal(RumError.Pending, rum.Pager.TryPin(at, Page));
        Assert.Equal(RumError.Pending, rum.Pager.TryCopy(at, (nint)(&value), 8, false));
        Assert.Equal(42u, Native.Load(at));
    }

    [Fact]
    public void Pins_over_the_budget_are_refused_and_faults_go_on()
    {
        using PagerFixture rum = new(PagerMode.Move);
        const int pages = 512;
        nint at = rum.Map(pages * Page);
        int pinned = 0;
        for (int p = 0; p < pages; p++)
        {
            Native.Store(at + p * Page, (ulong)p);
            // The store ends when the page is mapped; the pager writes it down a moment later.
            RumError error = RumError.Pending;
            Assert.True(SpinWait.SpinUntil(() => (error = rum.Pager.TryPin(at + p * Page, Page)) != RumError.Pending || Native.Load(at + p * Page) != (ulong)p, PagerFixture.PatienceMs), $"page {p} stays pending");
            if (error == RumError.None) pinned++;
            else Assert.Equal(RumError.PinBudgetExceeded, error);
        }

        Assert.InRange(pinned, 128, 255);
        // What TryPin leaves to short pins is less than this.
        Assert.Equal(RumError.PinBudgetExceeded, rum.Pager.Pin(at + (pages - 64) * Page, 64 * Page));
        for (int p = pinned; p < pages; p++) Assert.Equal((ulong)p, Native.Load(at + p * Page));
        for (int p = 0; p < pinned; p++) rum.Pager.EndTryPin(at + p * Page, Page);
        Assert.Equal(0, rum.Pager.Statistics.PinnedBytes);
        Assert.Equal(RumError.None, rum.Pager.Pin(at, 128 * Page));
        Assert.Equal(RumError.PinBudgetExceeded, rum.Pager.TryPin(at, 120 * Page));
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public void Copies_beside_eviction_lose_nothing(PagerMode mode)
    {
        using PagerFixture rum = new(mode, cacheBytes: 256 << 10);
        const int pages = 256;
        nint at = rum.Map(pages * Page);
        Stopwatch clock = Stopwatch.StartNew();
        long quick = 0, slow = 0;
        // Each thread owns a word of every page, counts in it, and knows what it must find.
        Thread[] threads = [.. Enumerable.Range(0, 3).Select(id => new Thread(() =>
        {
            Random random = new(id);
            ulong[] counts = new ulong[pages];
            while (clock.ElapsedMilliseconds < 1500)
            {
                int p = random.Next(pages);
                nint word = at + p * Page + id * 8;
                ulong value;
                if (rum.Pager.TryCopy(word, (nint)(&value), 8, false) == RumError.None) Interlocked.Increment(ref quick);
                else value = Native.Load(word);
                if (value != counts[p]) throw new InvalidOperationException($"thread {id}, page {p}: {value} instead of {counts[p]}");
                value = ++counts[p];
                if (rum.Pager.TryCopy(word, (nint)(&value), 8, true) == RumError.None) continue;
                Interlocked.Increment(ref slow);
                Native.Store(word, value);
            }
        }))];
        RunAll(threads);
        Assert.True(quick > 100 && slow > 0, $"{quick} quick copies, {slow} slow ones");
    }

    [Fact]
    public void Regions_may_go_while_they_are_used()
    {
        using PagerFixture rum = new(PagerMode.Move);
        SegmentHandle segment = rum.Segment(16 * Page);
        nint current = rum.Map(16 * Page, segment: segment);
        Native.Store(current, 7);
        bool stop = false;
        long refused = 0, copied = 0;
        Thread[] threads = [.. Enumerable.Range(0, 2).Select(_ => new Thread(() =>
        {
            while (!Volatile.Read(ref stop))
            {
                ulong value;
                nint at = Volatile.Read(ref current);
                RumError error = rum.Pager.TryCopy(at, (nint)(&value), 8, false);
                if (error == RumError.BadPointer) Interlocked.Increment(ref refused);
                else if (error == RumError.None) Interlocked.Increment(ref copied);
                if (rum.Pager.TryPin(at, Page) == RumError.None) rum.Pager.EndTryPin(at, Page);
            }
        }))];
        foreach (Thread thread in threads) thread.Start();
        for (int i = 0; i < 300 || (Volatile.Read(ref copied) == 0 && i < 100_000); i++)
        {
            nint old = current;
            Assert.Equal(RumError.None, rum.Pager.Unmap(old, true));
            nint next = rum.Map(16 * Page, fresh: false, segment: segment);
            Native.Load(next);
            Volatile.Write(ref current, next);
        }

        Volatile.Write(ref stop, true);
        foreach (Thread thread in threads) Assert.True(thread.Join(Bound), "a thread that copies did not end");
        Assert.True(copied > 0, $"{copied} copied, {refused} refused");
        rum.Pager.Revoke(RumError.SessionExpired);
        Assert.Equal(RumError.SessionExpired, rum.Pager.TryPin(current, Page));
        Assert.Equal(0, rum.Pager.Statistics.PinnedBytes);
    }

    [Fact]
    public void A_reader_may_not_write()
    {
        using PagerFixture rum = new(PagerMode.Move);
        nint at = rum.Map(Page, readOnly: true, fresh: false);
        ulong value = 1;
        Native.Load(at);
        Assert.Equal(RumError.ReadOnly, rum.Pager.TryCopy(at, (nint)(&value), 8, true));
        Assert.Equal(RumError.BadPointer, rum.Pager.TryCopy(at, (nint)(&value), 2 * Page, false));
    }

    private static void RunAll(Thread[] threads)
    {
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) Assert.True(thread.Join(Bound), "a thread did not end: something waits for ever");
    }
}
