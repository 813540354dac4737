using System.Diagnostics;
using Rum.Core;
using Rum.FastPath.Drivers;
using Rum.FastPath.Linux;
using Rum.FastPath.Memory;
using Rum.FastPath.Server;

namespace Rum.Unit.FastPath;

/// <summary>The thread around a page server: it blocks when idle, wakes for frames and for its mailbox, ends when told, and says when it dies.</summary>
public sealed class PageServerThreadTests
{
    [Fact]
    public async Task It_blocks_when_idle_wakes_for_the_mailbox_and_ends()
    {
        var driver = new EventDriver();
        PageServer server = Make(driver);
        Exception? defect = null;
        using (var thread = new PageServerThread(server, e => defect = e))
        {
            await driver.AnnouncedAsync(0);
            int before = driver.Announced;
            // Carried out by the server's thread: it is awake again, without a frame.
            await server.DropSegmentAsync(new SegmentId(1)).WaitAsync(TimeSpan.FromSeconds(60));
            await driver.AnnouncedAsync(before);
            int received = driver.Receives;
            driver.Ring();
            await Until(() => driver.Receives > received, "it looks for frames after its driver's descriptor became readable");
        }
        Assert.True(driver.Ended);
        Assert.Null(defect);
    }

    [Fact]
    public async Task A_defect_is_told_and_ends_it()
    {
        var driver = new EventDriver();
        // Not continued on the dying thread: the end of the test waits for that one.
        var told = new TaskCompletionSource<Exception>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var thread = new PageServerThread(Make(driver), told.SetResult);
        await driver.AnnouncedAsync(0);
        driver.Break = new InvalidOperationException("a planted defect");
        driver.Ring();
        Assert.Equal("a planted defect", (await told.Task.WaitAsync(TimeSpan.FromSeconds(60))).Message);
    }

    private static PageServer Make(IDriver driver) =>
        new(new Incarnation(9), new PagePool(new PagePoolOptions { CapacityBytes = 1 << 20, SegmentsMax = 16, ExtentsMax = 16 }), [driver], null, null);

    private static async Task Until(Func<bool> condition, string what)
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(60), $"Not within 60 s: {what}");
            await Task.Yield();
        }
    }

    /// <summary>A driver without frames whose descriptor the test makes readable.</summary>
    private sealed class EventDriver : IDriver
    {
        private readonly WakeEvent _event = new();
        private volatile int _announced;
        private volatile int _receives;
        private volatile Exception? _break;
        private volatile bool _ended;

        public int Receives => _receives;

        public bool Ended => _ended;

        public Exception Break { set => _break = value; }

        public DriverTraits Traits { get; } = new("test", 4096, false, true, false, false);

        public int WaitDescriptor => _event.Descriptor;

        public DriverCounters Counters => default;

        public void Ring() => _event.Set();

        /// <summary>How often it announced that it blocks.</summary>
        public int Announced => _announced;

        /// <summary>Waits until it has announced more often than that.</summary>
        public Task AnnouncedAsync(int seen) => Until(() => _announced > seen, "it announces that it blocks");

        public int Send(ReadOnlySpan<TxFrame> frames) => frames.Length;

        public int Receive(Span<RxFrame> frames)
        {
            if (_break is { } defect) throw defect;
            _receives++;
            return 0;
        }

        public void Release()
        {
        }

        public bool PrepareWait()
        {
            _announced++;
            return true;
        }

        public void FinishWait() => _event.Clear();

        public void Dispose()
        {
            _ended = true;
            _event.Dispose();
        }
    }
}
