using Rum.Core;
using Rum.Core.Council;
using Rum.Core.Sessions;

namespace Rum.Tests.Unit.Core;

public sealed class RequestSlotsTests
{
    private static readonly SessionId Session = new(7);

    [Fact]
    public void The_lowest_free_slot_is_taken_and_counts_on()
    {
        var slots = new RequestSlots(2);
        Assert.True(slots.TryTake(Session, out RequestId first, out bool settles));
        Assert.True(slots.TryTake(Session, out RequestId second, out _));
        Assert.False(slots.TryTake(Session, out _, out _));
        Assert.False(settles);
        Assert.Equal(new RequestId(Session, 0, 1), first);
        Assert.Equal(new RequestId(Session, 1, 1), second);
        slots.Give(0, answered: true);
        Assert.True(slots.TryTake(Session, out RequestId third, out _));
        Assert.Equal(new RequestId(Session, 0, 2), third);
        Assert.False(slots.Idle);
    }

    [Fact]
    public void Nothing_begins_while_a_slot_is_in_doubt_but_what_settles_it()
    {
        var slots = new RequestSlots(4);
        Assert.True(slots.TryTake(Session, out RequestId given, out _));
        Assert.True(slots.TryTake(Session, out RequestId beside, out _));
        slots.Give(given.Slot, answered: false);
        Assert.True(slots.TryTake(Session, out RequestId settling, out bool settles));
        Assert.True(settles);
        Assert.Equal(new RequestId(Session, given.Slot, 2), settling);
        Assert.False(slots.TryTake(Session, out _, out _));
        slots.Give(settling.Slot, answered: false);
        Assert.True(slots.TryTake(Session, out settling, out settles));
        Assert.True(settles);
        Assert.Equal(3u, settling.Counter);
        slots.Give(settling.Slot, answered: true);
        Assert.True(slots.TryTake(Session, out RequestId next, out settles));
        Assert.False(settles);
        Assert.Equal(given.Slot, next.Slot);
        slots.Give(next.Slot, answered: true);
        slots.Give(beside.Slot, answered: true);
        Assert.True(slots.Idle);
    }

    // Whatever the network does: each command at most once, answers tell the truth, and what was given up never overtakes what began later.
    [Fact]
    public void Commands_of_several_slots_are_decided_at_most_once_and_in_order_behind_those_given_up()
    {
        int settled = 0, late = 0;
        for (int seed = 1; seed <= 200; seed++)
        {
            var world = new SlotWorld(seed, settles: true);
            world.Run(600);
            Assert.True(world.Wrong is null, $"seed {seed}: {world.Wrong}");
            settled += world.Settled;
            late += world.RefusedLate;
        }
        Assert.True(settled > 100, $"only {settled} slots were in doubt");
        Assert.True(late > 100, $"only {late} commands came late");
    }

    [Fact]
    public void A_client_that_settles_nothing_is_caught() =>
        Assert.Contains(Enumerable.Range(1, 200), static seed =>
        {
            var world = new SlotWorld(seed, settles: false);
            world.Run(600);
            return world.Wrong is not null;
        });
}
