using System.Collections.Concurrent;
using Rum.Core;
using Rum.Core.Council;

namespace Rum.Grains.Sessions;

/// <summary>
/// Asks the council for all session grains of a silo: what comes while a request is under way goes together in the next. Any thread.
/// </summary>
internal sealed class LeaseJudge(GrainCouncil council)
{
    private readonly ConcurrentQueue<(LeaseMark Mark, TaskCompletionSource<ulong?> Answer)> _waiting = new();
    private int _asking;

    /// <summary>The renewal counter now: 0 when the session has ended, also by this; null when the council didn't answer.</summary>
    public Task<ulong?> JudgeAsync(LeaseMark mark)
    {
        var answer = new TaskCompletionSource<ulong?>(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting.Enqueue((mark, answer));
        if (Interlocked.CompareExchange(ref _asking, 1, 0) == 0) _ = Task.Run(AskAsync);
        return answer.Task;
    }

    private async Task AskAsync()
    {
        var batch = new List<(LeaseMark Mark, TaskCompletionSource<ulong?> Answer)>();
        do
        {
            while (!_waiting.IsEmpty)
            {
                batch.Clear();
                while (batch.Count < LeaseMark.BatchMax && _waiting.TryDequeue(out var one)) batch.Add(one);
                var answer = await council.AskAsync(new JudgeLeases([.. batch.Select(b => b.Mark)])).ConfigureAwait(false) as LeasesAnswer;
                for (int i = 0; i < batch.Count; i++) batch[i].Answer.SetResult(i < answer?.Counters.Count ? answer.Counters[i] : null);
            }
            Volatile.Write(ref _asking, 0);
        }
        while (!_waiting.IsEmpty && Interlocked.CompareExchange(ref _asking, 1, 0) == 0);
    }
}
