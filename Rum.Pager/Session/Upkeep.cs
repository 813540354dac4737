using Rum.Pager.Heap;

namespace Rum.Pager.Session;

/// <summary>
/// The thread that tidies the heap: takes caches of ended threads back and, once the program has been quiet for a tick after it used the heap, drops
/// what is free. Not the control thread, because giving extents back waits for that one.
/// </summary>
internal sealed class Upkeep : IDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    private readonly RemoteHeap _heap;
    private readonly ManualResetEventSlim _stop = new();
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
        while (!_stop.Wait(Tick))
        {
            HeapStatistics now = _heap.Statistics;
            bool quiet = _seen == (now.Allocations, now.Frees);
            _seen = (now.Allocations, now.Frees);
            if (!quiet) _tidy = false;
            else if (_tidy) continue;
            _heap.Maintain(all: quiet);
            _tidy = quiet;
        }
    }
}
