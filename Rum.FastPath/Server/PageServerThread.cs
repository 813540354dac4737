using Rum.FastPath.Linux;

namespace Rum.FastPath.Server;

/// <summary>
/// The thread of a <see cref="PageServer"/>. It spins while there is traffic and cores enough, else it blocks: a spinner on a shared core costs the others a
/// scheduler slice, and an idle one costs a core. Both are measured: no traffic for <see cref="SpinNs"/>, or two sched_yields within <see cref="YieldsWithinNs"/> that
/// took longer than <see cref="YieldNsMax"/> (somebody else wants the core), and it blocks on all descriptors, from where a request wakes it at once; then it keeps off
/// spinning for <see cref="HoldOffNsMin"/> to <see cref="HoldOffNsMax"/>, doubling while it goes on.
/// </summary>
public sealed class PageServerThread : IDisposable
{
    /// <summary>Time without traffic before it blocks, nanoseconds.</summary>
    public const long SpinNs = 200_000;

    /// <summary>
    /// A yield that took longer met somebody who computes, nanoseconds. Not a client on the same CPU, whose turns between its faults are shorter: each
    /// request that finds this thread blocked costs a dozen system calls on both sides.
    /// </summary>
    public const long YieldNsMax = 500_000;

    /// <summary>
    /// Two such yields within this time: somebody computes, nanoseconds. Between them others return at once, while the scheduler owes this thread time.
    /// </summary>
    public const long YieldsWithinNs = 20_000_000;

    /// <summary>A yield that took longer let somebody run who may be waiting for this server; then every idle poll is followed by one. Nanoseconds.</summary>
    public const long YieldTakenNs = 1_000;

    /// <summary>The shortest time without spinning after that, nanoseconds.</summary>
    public const long HoldOffNsMin = 2_000_000;

    /// <summary>The longest, nanoseconds.</summary>
    public const long HoldOffNsMax = 64_000_000;

    // A bound on what a wake-up costs that a kernel or a driver loses. Each look without a reason costs some 100 us on an idle machine: a second's would be more than all
    // heartbeats of a client.
    private const long BlockNsMax = 30_000_000_000;
    private const int PollsPerYield = 16;

    private readonly PageServer _server;
    private readonly Thread _thread;
    private readonly int _cpu;
    private readonly Action<Exception> _failed;
    private volatile bool _stop;

    /// <summary>Starts the thread.</summary>
    /// <param name="server">The server; disposed by <see cref="Dispose"/> after the thread has ended.</param>
    /// <param name="failed">Told, on the dying thread, of a defect that ended it. The process should end: its pages can't be served any more.</param>
    /// <param name="cpu">The CPU to bind to, -1 for none.</param>
    public PageServerThread(PageServer server, Action<Exception> failed, int cpu = -1)
    {
        _server = server;
        _failed = failed;
        _cpu = cpu;
        _thread = new Thread(Run) { IsBackground = true, Name = "rum-pages" };
        _thread.Start();
    }

    /// <summary>Stops the thread, waits for it, and disposes the server.</summary>
    public void Dispose()
    {
        if (_stop) return;
        _stop = true;
        _server.Wake.Set();
        _thread.Join();
        _server.Dispose();
    }

    private void Run()
    {
        try
        {
            if (_cpu >= 0) Scheduling.TryPin(0, _cpu);
            Loop();
        }
        catch (Exception defect)
        {
            _failed(defect);
        }
    }

    private void Loop()
    {
        Span<int> descriptors = stackalloc int[64];
        int watched = _server.WaitDescriptors(descriptors);
        long lastTraffic = MonotonicClock.NowNs, holdOffUntil = 0, holdOff = HoldOffNsMin;
        long pageFrames = 0;
        long longYieldNs = -YieldsWithinNs;
        int polls = 0, pollsPerYield = PollsPerYield;
        int nice = Scheduling.Nice;
        bool urgent = false;
        while (!_stop)
        {
            long now = MonotonicClock.NowNs;
            int done = _server.Poll(now);
            if (done > 0)
            {
                // Heartbeats and errands come alone; only who asks for pages is likely to ask again at once.
                if (_server.PageFrames != pageFrames) lastTraffic = now;
                pageFrames = _server.PageFrames;
                // One request of somebody on this CPU: there is nothing new before that one runs.
                if (done > 1 || pollsPerYield > 1 || now < holdOffUntil) continue;
            }
            // What was done may have left more to do that nobody wakes it for (frames to be freed): only after a look that found nothing may it block.
            bool mayBlock = watched > 0 && done == 0;
            // A spinner gives way by its yields, one that blocks must be let in between those who compute.
            if (urgent != now < holdOffUntil) Scheduling.TrySetUrgent(urgent = !urgent, nice);
            if (mayBlock && (now < holdOffUntil || now - lastTraffic > SpinNs))
            {
                Block(descriptors[..watched]);
                continue;
            }
            if (++polls < pollsPerYield) continue;
            polls = 0;
            long before = MonotonicClock.NowNs;
            _ = Scheduling.sched_yield();
            long taken = MonotonicClock.NowNs - before;
            pollsPerYield = taken > YieldTakenNs ? 1 : Math.Min(pollsPerYield + 1, PollsPerYield);
            if (taken <= YieldNsMax) continue;
            // One may be a passer-by, and blocking for that would cost every request of the next milliseconds a wake-up.
            bool again = now - longYieldNs <= YieldsWithinNs;
            longYieldNs = now + taken;
            if (!again) continue;
            holdOff = now < holdOffUntil + HoldOffNsMax ? Math.Min(holdOff * 2, HoldOffNsMax) : HoldOffNsMin;
            holdOffUntil = now + taken + holdOff;
        }
    }

    private void Block(ReadOnlySpan<int> descriptors)
    {
        bool idle = _server.PrepareWait();
        bool woken = false;
        if (idle && !_stop) Polling.WaitReadable(descriptors, Math.Min(_server.WaitNs(MonotonicClock.NowNs), BlockNsMax), out woken);
        _server.FinishWait(woken);
        // Not idle and nothing done: a driver pushes back, and its peer may need this very core.
        if (!idle) _ = Scheduling.sched_yield();
    }
}
