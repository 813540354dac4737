namespace Rum.Session;

/// <summary>
/// Counts the calls that use a mapping, so that it is taken away only after the last of them left. Entering and leaving cost one interlocked
/// operation each; nobody waits but the one who closes.
/// </summary>
internal sealed class UseGate
{
    // State: the calls inside, plus this bit once closing began. Invariant: who sees the state at exactly this bit completes the drain.
    private const int ClosedBit = 1 << 30;

    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _state;

    internal bool IsClosed => (Volatile.Read(ref _state) & ClosedBit) != 0;

    /// <summary>False: closing began; the mapping must not be touched.</summary>
    internal bool TryEnter()
    {
        if ((Interlocked.Increment(ref _state) & ClosedBit) == 0) return true;
        Exit();
        return false;
    }

    internal void Exit()
    {
        if (Interlocked.Decrement(ref _state) == ClosedBit) _drained.TrySetResult();
    }

    /// <summary>Lets nobody in any more. True for the one caller that closed it.</summary>
    internal bool Close()
    {
        int before = Interlocked.Or(ref _state, ClosedBit);
        if (before == 0) _drained.TrySetResult();
        return (before & ClosedBit) == 0;
    }

    /// <summary>Completes when the last call left.</summary>
    internal Task Drained => _drained.Task;
}
