namespace Rum.Session;

/// <summary>
/// A call of librum.so that may block, to be made by a thread of <see cref="WaitThreads"/>. Its task ends with the call, or at once when it is
/// cancelled: then the call itself still runs to its end, <see cref="Undo"/> takes back what it did, and <see cref="Ended"/> follows as ever.
/// </summary>
internal abstract class WaitCall : TaskCompletionSource
{
    protected WaitCall() : base(TaskCreationOptions.RunContinuationsAsynchronously)
    {
    }

    /// <summary>The call; returns its <c>RumError</c> number.</summary>
    protected abstract int Invoke();

    /// <summary>It succeeded, but was cancelled meanwhile.</summary>
    protected virtual void Undo()
    {
    }

    /// <summary>Exactly once, after everything else, also when the call was cancelled before it began.</summary>
    protected virtual void Ended()
    {
    }

    /// <summary>Makes the call, unless it was cancelled already.</summary>
    internal void Run()
    {
        try
        {
            if (Task.IsCompleted) return;
            int code = Invoke();
            // The text belongs to this thread's last call: take it before anything else is called.
            if (code != 0) TrySetException(RumErrors.LastFailure(code));
            else if (!TrySetResult()) Undo();
        }
        catch (Exception defect) when (TrySetException(defect))
        {
        }
        finally
        {
            Ended();
        }
    }
}
