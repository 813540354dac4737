using Microsoft.Extensions.Logging.Abstractions;
using Rum.Core;
using Rum.Core.Council;
using Rum.Core.Paxos;
using Rum.Silo.Council;
using Rum.Silo.Storage;

namespace Rum.Cluster.Tests.Council;

/// <summary>Who does the council's work: one at a time, and one who asks alone does it for itself.</summary>
public sealed class CouncilTurnTests
{
    [Fact]
    public void WhoAsksAloneWritesForItself()
    {
        var store = new WatchedStore();
        using var leader = Lead(store, defect => Assert.Fail(defect.ToString()));
        var asker = new Thread(() =>
        {
            for (int i = 0; i < 64; i++) Open(leader, i).GetAwaiter().GetResult();
        });
        asker.Start();
        asker.Join();
        Assert.Contains(asker.ManagedThreadId, store.Writers);
    }

    [Fact]
    public async Task OneAtATimeHoweverManyAsk()
    {
        const int askers = 32, each = 50;
        var store = new WatchedStore();
        using var leader = Lead(store, defect => Assert.Fail(defect.ToString()));
        SessionId[][] sessions = await Task.WhenAll(Enumerable.Range(0, askers).Select(asker => Task.Run(async () =>
        {
            var opened = new List<SessionId>();
            for (int i = 0; i < each; i++) opened.Add(await Open(leader, (asker * each) + i));
            return opened.ToArray();
        })));
        Assert.Equal(askers * each, sessions.SelectMany(some => some).Distinct().Count());
        Assert.Equal(1, store.AtOnceMax);
    }

    [Fact]
    public async Task ADefectOnAnAskersThreadEndsTheSeat()
    {
        var store = new WatchedStore();
        var defects = new List<Exception>();
        var leader = Lead(store, defect =>
        {
            lock (defects) defects.Add(defect);
        });
        for (int i = 0; i < 32; i++) await Open(leader, i);
        store.Broken = true;
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        // The first may be met by the seat's own thread: then its asker hears nothing, and the next one does.
        await Assert.ThrowsAnyAsync<Exception>(async () => await Open(leader, 100, Short()));
        await Assert.ThrowsAsync<CouncilUnreachableException>(async () => await Open(leader, 101, patience.Token));
        leader.Dispose();
        Assert.IsType<CouncilStoreException>(Assert.Single(defects));
    }

    private static CancellationToken Short() => new CancellationTokenSource(TimeSpan.FromSeconds(2)).Token;

    private static CouncilLeader Lead(ICouncilStore store, Action<Exception> failed) =>
        new(store, 60_000, () => Environment.TickCount64 * 1_000_000, NullLogger.Instance, failed);

    private static async Task<SessionId> Open(CouncilLeader leader, int number, CancellationToken? patience = null)
    {
        var open = new CommandRequest(default, new OpenSession((UInt128)number + 1, "", "", 0));
        var answer = (CommandAnswer)await leader.AskAsync(open, patience ?? TestContext.Current.CancellationToken);
        return Assert.IsType<SessionResult>(answer.Result).Session;
    }

    private sealed class WatchedStore : ICouncilStore
    {
        private readonly MemoryCouncilStore _store = new();
        private readonly HashSet<int> _writers = [];
        private int _atOnce;

        public bool Broken { get; set; }

        public int AtOnceMax { get; private set; }

        public IReadOnlySet<int> Writers => _writers;

        public Guid ClusterId => _store.ClusterId;

        public uint Generation => _store.Generation;

        public ulong Seat => _store.Seat;

        public ulong Start => _store.Start;

        public PaxosDisk Found => _store.Found;

        public long LogBytes => 0;

        public void Append(IReadOnlyList<PaxosRecord> records)
        {
            if (Broken) throw new CouncilStoreException("a planted defect");
            AtOnceMax = Math.Max(AtOnceMax, Interlocked.Increment(ref _atOnce));
            _writers.Add(Environment.CurrentManagedThreadId);
            // As a disk does: others get the CPU meanwhile.
            Thread.Yield();
            Interlocked.Decrement(ref _atOnce);
        }

        public void Replace(ulong decree, ReadOnlySpan<byte> state, IReadOnlyList<PaxosRecord> remainder) => _store.Replace(decree, state, remainder);

        public void Dispose() => _store.Dispose();
    }
}
