using Rum.Pager.Heap;

namespace Rum.Pager.Session;

/// <summary>
/// The thread that tidies the heap: takes caches of ended threads back and, once the program has been quiet for a tick after it used the heap, drops
/// what is free. Not the control thread, because giving extents back waits for that one.
/// </summary>
internal sealed class Upkeep : IDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan TickMax = TimeSpan.FromSeconds(8);

    private readonly RemoteHeap _heap;
    private readonly ManualResetEvent _stop = new(false);
    private readonly Thread _thread;
    private (long, long) _seen;
    private bool _tidy = true;

    public Upkeep(RemoteHeap heap)
    {
        _heap = heap;
        _thread = new Thread(Run) { IsBackground = true, Name = "rum-upkeep" };
        _thread.Start();
    }

    public void Dispose()
    {
        _stop.Set();
        _thread.Join();
    }

    private void Run()
    {
        // Not Wait of a slim event: that spins before it sleeps. While there is nothing to tidy the ticks grow rarer.
        TimeSpan tick = Tick;
        while (!_stop.WaitOne(tick))
        {
            HeapStatistics now = _heap.Statistics;
            bool quiet = _seen == (now.Allocations, now.Frees);
            _seen = (now.Allocations, now.Frees);
            if (!quiet) _tidy = false;
            tick = quiet && _tidy ? TimeSpan.FromTicks(Math.Min(tick.Ticks * 2, TickMax.Ticks)) : Tick;
            if (quiet && _tidy) continue;
            _heap.Maintain(all: quiet);
            _tidy = quiet;
        }
    }
}
