using Rum.Core;
using Rum.Core.Council;
using Rum.Grains.Carrying;

namespace Rum.Grains.Tests.Processes;

/// <summary>A session that makes and frees named segments through grains until it is told to stop; whatever goes wrong ends it with that.</summary>
internal sealed class Worker(GrainCalls calls)
{
    private readonly CancellationTokenSource _stop = new();
    private Task _working = Task.CompletedTask;
    private int _rounds;

    public int Rounds => Volatile.Read(ref _rounds);

    public SessionId Session { get; private set; }

    public static async Task<Worker> StartAsync(GrainCalls calls, string name)
    {
        var worker = new Worker(calls);
        var open = new OpenSession((UInt128)(ulong)Random.Shared.NextInt64() << 64 | (ulong)Random.Shared.NextInt64(), "", name, 600_000);
        worker.Session = ((SessionResult)(await calls.DecideAsync(default, open, default)).Result).Session;
        Assert.NotEqual(0UL, worker.Session.Value);
        worker._working = Task.Run(() => worker.WorkAsync(name));
        return worker;
    }

    /// <summary>Waits for rounds beyond those that there are now.</summary>
    public async Task GoesOnAsync(int rounds = 20)
    {
        int goal = Rounds + rounds;
        await Eventually.Async(() => Rounds >= goal || _working.IsCompleted, $"{rounds} more rounds of the worker", () => $"{Rounds} of {goal}");
        if (_working.IsCompleted) await _working;
    }

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _working;
    }

    private async Task WorkAsync(string name)
    {
        uint counter = 0;
        for (int i = 0; !_stop.IsCancellationRequested; i++)
        {
            UInt128 key = SegmentKey.FromName($"{name} {i}").Value;
            Result made = (await calls.DecideAsync(new RequestId(Session, 0, ++counter), new Allocate(Session, key, 4096, 1, SegmentFlags.None, default), default)).Result;
            Assert.True(made.Error == RumError.None, $"round {i}: {made.Error}: {made.Message}");
            RenewReply renewed = await calls.RenewAsync([Session.Value], default);
            Assert.NotEqual(0UL, renewed.Counters[0]);
            Result freed = (await calls.DecideAsync(new RequestId(Session, 0, ++counter), new Free(Session, ((SegmentResult)made).Segment, UInt128.Zero), default)).Result;
            Assert.True(freed.Error == RumError.None, $"round {i}: {freed.Error}: {freed.Message}");
            Interlocked.Increment(ref _rounds);
        }
    }
}
