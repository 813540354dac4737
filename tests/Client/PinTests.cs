namespace Rum.Client.Tests;

public sealed class PinTests(Silo silo)
{
    [Fact]
    public async Task A_pinned_range_stays_resident_and_its_memory_is_the_segment()
    {
        await using RumClient client = await silo.ConnectAsync();
        await using RumSegment segment = await client.AllocateAsync(32 << 20);
        using RumPin pin = await segment.PinAsync(10_000, 20_000);
        pin.Memory.Span.Fill(9);
        byte[] other = new byte[16 << 20];
        await segment.WriteAsync(1 << 20, other);
        await segment.ReadAsync(1 << 20, other);
        long faults = client.GetStatistics().Faults;
        Assert.False(pin.GetSpan().ContainsAnyExcept((byte)9));
        Assert.True(segment.TryPin(10_000, 20_000, out RumPin? second));
        second.Dispose();
        Assert.Equal(faults, client.GetStatistics().Faults);
        Assert.Equal(9, segment.Read<byte>(29_999));
        using (Stream file = File.OpenRead("/dev/zero")) await file.ReadExactlyAsync(pin.Memory[..100]);
        Assert.Equal(0, segment.Read<byte>(10_099));

        pin.Dispose();
        pin.Dispose();
        Assert.Throws<ObjectDisposedException>(() => pin.GetSpan().Length);
        await Eventually.Async(() => client.GetStatistics().PinnedBytes == 0, "no byte is pinned");
    }

    [Fact]
    public async Task TryPin_of_what_is_absent_is_false()
    {
        RumMemory.Init(silo.Options);
        try
        {
            await using RumClient client = await silo.ConnectAsync();
            await using RumSegment segment = await client.AllocateAsync(1 << 20);
            segment.Write(5_000, 1L);
            // A store ends when the page is mapped; the pager writes it down a moment later.
            RumPin? pin = null;
            await Eventually.Async(() => segment.TryPin(5_000, 8, out pin), "the page that was just written is resident");
            pin!.Dispose();
            RumMemory.FlushCache();
            Assert.False(segment.TryPin(5_000, 8, out _));
            using RumPin slow = await segment.PinAsync(5_000, 8);
            Assert.Equal(1, slow.GetSpan()[0]);
        }
        finally
        {
            RumMemory.End();
        }
    }

    [Fact]
    public async Task Pins_over_the_budget_throw_and_everything_else_goes_on()
    {
        await using RumClient client = await silo.ConnectAsync();
        await using RumSegment segment = await client.AllocateAsync(16 << 20);
        List<RumPin> pins = [];
        PinBudgetExceededException? refused = null;
        while (refused is null && pins.Count < 64)
        {
            try
            {
                pins.Add(await segment.PinAsync(pins.Count * 200_000L, 200_000));
            }
            catch (PinBudgetExceededException e)
            {
                refused = e;
            }
        }

        Assert.NotNull(refused);
        Assert.InRange(pins.Count, 4, 20);
        Assert.Throws<PinBudgetExceededException>(() => PinResidents(segment, pins));
        // All at once, in what is left of the cache.
        await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Task.Run(async () =>
        {
            byte[] buffer = new byte[100_000];
            buffer[99_999] = (byte)i;
            await segment.WriteAsync((8 << 20) + i * 100_000, buffer);
            await segment.ReadAsync((8 << 20) + i * 100_000, buffer);
            Assert.Equal((byte)i, buffer[99_999]);
        })));
        foreach (RumPin pin in pins) pin.Dispose();
        await Eventually.Async(() => client.GetStatistics().PinnedBytes == 0, "no byte is pinned");
        (await segment.PinAsync(0, 1_000_000)).Dispose();
    }

    private static void PinResidents(RumSegment segment, List<RumPin> pins)
    {
        for (long at = 8 << 20; at < 16 << 20; at += 4096)
        {
            segment.Write(at, 1L);
            if (segment.TryPin(at, 4096, out RumPin? pin)) pins.Add(pin);
        }
    }
}
