using Rum.Core.Paxos;

namespace Rum.Core.Tests;

public sealed class PaxosMemberTests
{
    [Fact]
    public void A_council_of_one_applies_nothing_that_is_not_durable()
    {
        var machine = new Alone();
        var member = new PaxosMember(1, 1, 7, new PaxosDisk(0, [], []), machine, 0, static _ => 0);
        ulong durable = 0;
        int proposed = 0;
        for (long now = 0; now < 100; now++)
        {
            member.Tick(now);
            for (bool more = true; more;)
            {
                if (member.CanPropose && proposed < 10)
                {
                    member.Propose([1], now);
                    proposed++;
                }
                foreach (AcceptRecord accepted in member.Writes.OfType<AcceptRecord>()) durable = Math.Max(durable, accepted.Decree);
                member.Writes.Clear();
                member.Outbox.Clear();
                member.Synced(now);
                Assert.True(member.Chosen <= durable, $"decree {member.Chosen} was decided when {durable} was on the disk");
                more = member.Writes.Count > 0 || member.AwaitsSync || (member.CanPropose && proposed < 10);
            }
        }
        Assert.Equal(10, proposed);
        Assert.True(machine.Applied >= 10, $"{machine.Applied} decrees");
    }

    private sealed class Alone : IReplicated
    {
        public ulong Applied { get; private set; }

        public IReadOnlyList<ulong> Council => [1];

        public void Apply(ulong decree, byte[] value) => Applied = decree;

        public byte[] Capture() => [];

        public void Restore(ulong decree, byte[] state) => Applied = decree;
    }
}
