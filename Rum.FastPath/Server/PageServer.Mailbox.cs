using System.Collections.Concurrent;
using Rum.Core;
using Rum.Core.Council;
using Rum.FastPath.Memory;

namespace Rum.FastPath.Server;

/// <content>The mailbox: what other threads ask of the data thread. All its public members may be called from any thread.</content>
public sealed unsafe partial class PageServer
{
    private readonly ConcurrentQueue<Action> _operations = new();
    private readonly Queue<(long Garbage, TaskCompletionSource Done)> _drops = new();
    private readonly WakeEvent _wake = new();
    private ConcurrentQueue<OutgoingControl>[] _controlAnswers = [];
    private int _queued;
    private bool _disposed;

    /// <summary>
    /// Puts a view in force, unless one as new is. When the task ends, no request is judged by an older one any more.
    /// </summary>
    public Task SetViewAsync(ClusterView view)
    {
        var laidOut = new ServerView(view, Incarnation, _options.PeerOf);
        return RunAsync(_ =>
        {
            if (_view != null && _view.Decree >= laidOut.Decree) return true;
            // What is held is held for the replicas of the old view.
            LetGo();
            _pool.Window?.SetView(laidOut);
            Volatile.Write(ref _view, laidOut);
            _learner.Begin(laidOut);
            return true;
        });
    }

    /// <summary>Forgets a freed segment. When the task ends its frames are free again.</summary>
    public Task DropSegmentAsync(SegmentId segment) => DropAsync(pool => pool.DropSegment(segment));

    /// <summary>Drops a range of a segment's pages. When the task ends its frames are free again.</summary>
    public Task DropPagesAsync(SegmentId segment, long firstPage, long count) => DropAsync(pool =>
    {
        pool.DropPages(segment, firstPage, count);
        _learner.Dropped(segment, firstPage, count);
    });

    /// <summary>
    /// Drops a shard that this silo is no replica of any more. Only under a view as new as the drop, else it would answer zeros. When the task ends its frames
    /// are free again.
    /// </summary>
    public Task DropShardAsync(ShardId shard) => DropAsync(pool => pool.DropShard(shard));

    /// <summary>Sets how many pages sparse segments may hold (see <see cref="PagePool.SparsePagesMax"/>).</summary>
    public Task SetSparsePagesMaxAsync(long pages) => RunAsync(pool => pool.SparsePagesMax = pages);

    /// <summary>Runs something short on the data thread, between two bursts.</summary>
    /// <exception cref="InvalidOperationException">The mailbox is full: the data thread doesn't run.</exception>
    public Task<T> RunAsync<T>(Func<PagePool, T> operation)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(() =>
        {
            try { done.SetResult(operation(_pool)); }
            catch (ArgumentException wrong) { done.SetException(wrong); }
        });
        return done.Task;
    }

    /// <summary>Sends the answer to a control request. False: too many wait; it is dropped like a lost frame, and the request comes again.</summary>
    /// <param name="request">The request, as the sink got it.</param>
    /// <param name="error">Goes into the header's status.</param>
    /// <param name="payload">The message, at most <see cref="Frames.FrameCodec.ControlMessageBytesMax"/> bytes; copied.</param>
    public bool Answer(ControlRequest request, RumError error, ReadOnlySpan<byte> payload)
    {
        ConcurrentQueue<OutgoingControl> queue = _controlAnswers[request.Origin.Driver];
        int maxPayload = _ports[request.Origin.Driver].Traits.MaxPayload;
        int longest = Math.Min(Frames.FrameCodec.ControlMessageBytesMax, Frames.FrameCodec.FragmentsMax * maxPayload);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(payload.Length, longest);
        if (Volatile.Read(ref _disposed) || Interlocked.Increment(ref _queued) > _options.QueueMax)
        {
            Interlocked.Decrement(ref _queued);
            return false;
        }
        queue.Enqueue(new OutgoingControl(request, (ushort)error, payload));
        _wake.Set();
        return true;
    }

    /// <summary>Becomes readable when the mailbox gets something.</summary>
    internal WakeEvent Wake => _wake;

    private Task DropAsync(Action<PagePool> drop)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(() =>
        {
            try { drop(_pool); }
            catch (ArgumentException wrong)
            {
                done.SetException(wrong);
                return;
            }
            _drops.Enqueue((_pool.GarbageProduced, done));
        });
        return done.Task;
    }

    private void Post(Action operation)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed), this);
        if (Interlocked.Increment(ref _queued) > _options.QueueMax)
        {
            Interlocked.Decrement(ref _queued);
            throw new InvalidOperationException($"{_options.QueueMax} operations wait for the page server: its data thread doesn't run.");
        }
        _operations.Enqueue(operation);
        _wake.Set();
    }

    private int RunMailbox()
    {
        int done = 0;
        while (done < 64 && _operations.TryDequeue(out Action? operation))
        {
            Interlocked.Decrement(ref _queued);
            operation();
            done++;
        }
        return done;
    }

    private void CompleteDrops()
    {
        while (_drops.TryPeek(out (long Garbage, TaskCompletionSource Done) first) && first.Garbage <= _pool.GarbageCollected)
        {
            _drops.Dequeue();
            first.Done.SetResult();
        }
    }

    private void CreateMailbox()
    {
        _controlAnswers = new ConcurrentQueue<OutgoingControl>[_ports.Length];
        for (int i = 0; i < _controlAnswers.Length; i++) _controlAnswers[i] = new ConcurrentQueue<OutgoingControl>();
    }

    private void DisposeMailbox()
    {
        Volatile.Write(ref _disposed, true);
        while (_operations.TryDequeue(out Action? operation)) operation();
        while (_drops.TryDequeue(out (long Garbage, TaskCompletionSource Done) drop)) drop.Done.SetResult();
        foreach (ConcurrentQueue<OutgoingControl> queue in _controlAnswers)
            while (queue.TryDequeue(out OutgoingControl? answer)) answer.Dispose();
        _wake.Dispose();
    }
}
