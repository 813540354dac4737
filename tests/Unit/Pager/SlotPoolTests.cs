using Rum.Pager.Paging;

namespace Rum.Unit.Tests.Pager;

public sealed class SlotPoolTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Slots_are_conserved_and_never_given_twice(int seed)
    {
        SlotPool pool = new(512);
        Random random = new(seed);
        HashSet<int> backed = [];
        for (int step = 0; step < 20_000; step++)
        {
            if (random.Next(2) == 0)
            {
                int slot = pool.TakeHoles(1 + random.Next(SlotPool.Run), out int got);
                for (int i = 0; i < got; i++)
                {
                    Assert.True(backed.Add(slot + i));
                    pool.GiveFree(slot + i);
                }
            }
            else
            {
                int slot = pool.TakeFree(1 + random.Next(SlotPool.Run), out int got);
                for (int i = 0; i < got; i++)
                {
                    Assert.True(backed.Remove(slot + i));
                    pool.GiveHole(slot + i);
                }
            }

            Assert.Equal(backed.Count, pool.Free);
            Assert.Equal(pool.Slots, pool.Free + pool.Holes);
        }
    }

    [Fact]
    public void Whole_blocks_stay_whole_while_single_slots_are_to_be_had()
    {
        SlotPool pool = new(4 * SlotPool.Run);
        int all = pool.TakeHoles(SlotPool.Run, out int got);
        Assert.Equal(SlotPool.Run, got);
        for (int i = 0; i < got; i++) pool.GiveFree(all + i);
        int other = pool.TakeHoles(3, out got);
        Assert.Equal(3, got);
        for (int i = 0; i < got; i++) pool.GiveFree(other + i);
        for (int i = 0; i < 3; i++) Assert.InRange(pool.TakeFree(1, out _), other, other + 2);
        Assert.Equal(all, pool.TakeFree(SlotPool.Run, out got));
        Assert.Equal(SlotPool.Run, got);
    }

    [Fact]
    public void An_empty_pool_says_so()
    {
        SlotPool pool = new(SlotPool.Run);
        Assert.Equal(-1, pool.TakeFree(1, out int got));
        Assert.Equal(0, got);
    }
}
