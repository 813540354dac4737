namespace Rum.Session;

/// <summary>
/// Threads that block in librum.so on behalf of asynchronous calls. Not the thread pool: it has a thread per processor and adds one or two a
/// second, so a handful of faults on a stalled silo would stop a whole server (docs/adr/0071). They are started when needed and end after
/// <see cref="IdleMs"/> without work.
/// </summary>
internal sealed class WaitThreads(int threadsMax)
{
    private const int IdleMs = 5_000;
    private const int StackBytes = 256 * 1024;

    private readonly Queue<WaitCall> _queue = new();
    private int _threads;
    private int _idle;

    /// <summary>Threads that exist now.</summary>
    internal int Count
    {
        get
        {
            lock (_queue) return _threads;
        }
    }

    /// <summary>Queues a call. Its task is cancelled as soon as <paramref name="cancellation"/> is, whatever the call does.</summary>
    internal Task RunAsync(WaitCall call, CancellationToken cancellation)
    {
        if (cancellation.CanBeCanceled)
        {
            CancellationTokenRegistration registration = cancellation.UnsafeRegister(
                static (state, token) => ((WaitCall)state!).TrySetCanceled(token), call);
            call.Task.ContinueWith(
                static (_, state) => ((CancellationTokenRegistration)state!).Dispose(), registration, CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }

        lock (_queue)
        {
            _queue.Enqueue(call);
            if (_idle >= _queue.Count || _threads == threadsMax)
            {
                Monitor.Pulse(_queue);
                return call.Task;
            }

            _threads++;
        }

        new Thread(Work, StackBytes) { IsBackground = true, Name = "rum wait" }.UnsafeStart();
        return call.Task;
    }

    private void Work()
    {
        while (Take() is { } call) call.Run();
    }

    private WaitCall? Take()
    {
        lock (_queue)
        {
            _idle++;
            while (_queue.Count == 0)
            {
                if (Monitor.Wait(_queue, IdleMs) || _queue.Count > 0) continue;
                _idle--;
                _threads--;
                return null;
            }

            _idle--;
            return _queue.Dequeue();
        }
    }
}
