using FsCheck;
using FsCheck.Fluent;
using Rum.Core;
using Rum.Pager.Heap;

namespace Rum.Unit.Heap;

public sealed class RandomTraceTests
{
    [Fact]
    public void No_trace_hands_out_a_byte_twice_or_drops_one_in_use() =>
        Prop.ForAll<int>(seed => Run(new Random(seed), steps: 4000, LimitBytes: long.MaxValue)).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_small_room_refuses_and_recovers(int seed)
    {
        (int refused, HeapStatistics end) = Run(new Random(seed), steps: 20_000, LimitBytes: 24L << 20);
        Assert.True(refused > 0, "the limit was never met: the trace proves nothing");
        Assert.Equal(0, end.LiveObjects);
    }

    private static (int Refused, HeapStatistics End) Run(Random random, int steps, long LimitBytes)
    {
        var space = new FakeSpace { LimitBytes = LimitBytes };
        using var heap = new RemoteHeap(space);
        var model = new HeapModel(space, heap);
        int refused = 0;
        for (int i = 0; i < steps; i++)
        {
            int choice = random.Next(100);
            if (choice < 55 || model.Count == 0)
            {
                nuint alignment = random.Next(8) == 0 ? (nuint)1 << random.Next(5, 17) : 16;
                if (model.Allocate(DrawSize(random), alignment) == 0) refused++;
            }
            else if (choice < 92)
            {
                model.Free(model.At(random.Next(model.Count)));
            }
            else if (choice < 96)
            {
                model.Resize(model.At(random.Next(model.Count)), DrawSize(random));
            }
            else if (choice < 99)
            {
                int at = random.Next(model.Count);
                nint inside = model.At(at) + (nint)random.NextInt64(1, model.SizeAt(at));
                Assert.Equal(RumError.BadPointer, heap.Free(inside));
                Assert.Equal(RumError.BadPointer, heap.UsableSize(inside, out _));
            }
            else
            {
                heap.Maintain(all: random.Next(2) == 0);
            }
        }
        while (model.Count > 0) model.Free(model.At(model.Count - 1));
        heap.Maintain(all: true);
        return (refused, heap.Statistics);
    }

    private static long DrawSize(Random random) => random.Next(20) switch
    {
        0 => random.NextInt64(1, 4L << 20),
        1 or 2 => random.NextInt64(1, 100_000),
        < 8 => random.NextInt64(1, 4096),
        _ => random.NextInt64(1, 300),
    };
}
