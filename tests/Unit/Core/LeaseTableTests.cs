using FsCheck;
using FsCheck.Fluent;
using Rum.Core;
using Rum.Core.Sessions;

namespace Rum.Tests.Unit.Core;

public sealed class LeaseTableTests
{
    private static readonly SessionId One = new(1);

    [Fact]
    public void A_renewal_after_the_counter_was_seen_saves_the_session()
    {
        var table = new LeaseTable();
        var due = new List<(SessionId Session, ulong Counter)>();
        table.Grant(One, 100, nowNs: 0);
        table.Due(99, due);
        Assert.Empty(due);
        table.Due(100, due);
        (SessionId session, ulong counter) = Assert.Single(due);
        Assert.True(table.IsDue(session, counter, 100));
        Assert.NotEqual(counter, table.Renew(One, 100));
        Assert.False(table.IsDue(session, counter, 1000));
        Assert.Equal(200, table.NextDueNs());
    }

    [Fact]
    public void Renewing_what_isnt_there_does_nothing()
    {
        var table = new LeaseTable();
        Assert.Equal(0UL, table.Renew(One, 5));
        Assert.False(table.IsDue(One, 0, 5));
        Assert.Equal(long.MaxValue, table.NextDueNs());
        table.Grant(One, 1, 0);
        Assert.True(table.Remove(One));
        Assert.False(table.Remove(One));
    }

    [Fact]
    public void A_new_leader_grants_everyone_a_full_lease()
    {
        var table = new LeaseTable();
        var due = new List<(SessionId, ulong)>();
        for (ulong i = 1; i <= 10; i++) table.Grant(new SessionId(i), (long)i * 10, 0);
        table.GrantAllFull(1000);
        table.Due(1009, due);
        Assert.Empty(due);
        table.Due(1100, due);
        Assert.Equal(Enumerable.Range(1, 10).Select(i => new SessionId((ulong)i)), due.Select(entry => entry.Item1));
    }

    /// <summary>Against the plain rule: due iff no renewal in the last lease.</summary>
    [Fact]
    public void Never_due_within_a_lease_of_a_renewal_and_always_after() =>
        Prop.ForAll<int>(seed =>
        {
            var random = new Random(seed);
            var table = new LeaseTable();
            var model = new Dictionary<SessionId, (long Length, long Last)>();
            var due = new List<(SessionId Session, ulong Counter)>();
            long now = 0;
            for (int step = 0; step < 200; step++)
            {
                now += random.Next(20);
                var session = new SessionId((ulong)random.Next(1, 6));
                switch (random.Next(5))
                {
                    case 0:
                        long length = random.Next(1, 100);
                        if (model.ContainsKey(session)) break;
                        table.Grant(session, length, now);
                        model[session] = (length, now);
                        break;
                    case 1:
                        Assert.Equal(model.Remove(session), table.Remove(session));
                        break;
                    default:
                        Assert.Equal(model.ContainsKey(session), table.Renew(session, now) != 0);
                        if (model.TryGetValue(session, out (long Length, long Last) lease)) model[session] = (lease.Length, now);
                        break;
                }
                table.Due(now, due);
                Assert.Equal(
                    model.Where(entry => now - entry.Value.Last >= entry.Value.Length).Select(entry => entry.Key.Value).Order(),
                    due.Select(entry => entry.Session.Value).Order());
                Assert.All(due, entry => Assert.True(table.IsDue(entry.Session, entry.Counter, now)));
                Assert.Equal(model.Count == 0 ? long.MaxValue : model.Min(entry => entry.Value.Last + entry.Value.Length), table.NextDueNs());
            }
        }).Check(Config.QuickThrowOnFailure);
}
