using Rum.Core;

namespace Rum.Client.Tests;

public sealed class SegmentTests(Silo silo)
{
    [Fact]
    public async Task What_was_written_is_read_through_a_cache_far_smaller()
    {
        await using RumClient client = await silo.ConnectAsync();
        await using RumSegment segment = await client.AllocateAsync(32 << 20);
        byte[] written = new byte[segment.Length];
        new Random(1).NextBytes(written);
        await segment.WriteAsync(0, written);
        byte[] read = new byte[written.Length];
        await segment.ReadAsync(0, read);
        Assert.True(written.AsSpan().SequenceEqual(read));
        segment.Read(12_345, read.AsSpan(0, 100_000));
        Assert.True(written.AsSpan(12_345, 100_000).SequenceEqual(read.AsSpan(0, 100_000)));
        segment.Write(20_000_001, written.AsSpan(0, 300_000));
        Assert.Equal(written[299_999], segment.DangerousGetSpan(20_000_001, 300_000)[299_999]);
        RumStatistics statistics = client.GetStatistics();
        Assert.True(statistics.Evictions > 4_000, $"{statistics.Evictions} evictions");
        Assert.True(statistics.ResidentBytes <= statistics.CacheBytes);
        Assert.Equal(0, statistics.PinnedBytes);
    }

    [Fact]
    public async Task Silos_are_named_by_number()
    {
        await using RumClient client = await silo.ConnectAsync();
        await using RumSegment segment = await client.AllocateAsync(8192, new RumAllocation { Silos = [1] });
        await segment.WriteAsync<long>(8000, new[] { 5L });
        await segment.FlushAsync();
        Assert.Equal(RumError.UnknownSilo, (await Assert.ThrowsAnyAsync<RumException>(async () => await client.AllocateAsync(1, new RumAllocation { Silos = [1, 999] }))).Error);
        ArgumentException twice = await Assert.ThrowsAsync<ArgumentException>(async () => await client.AllocateAsync(1, new RumAllocation { Silos = [1, 1] }));
        Assert.Contains("once", twice.Message);
        Assert.Throws<ArgumentException>(() => new RumAllocation { Silos = [1, 2, 3, 4, 5, 6] });
        Assert.Throws<ArgumentException>(() => new RumAllocation { Silos = [1, 0] });
        Assert.Empty(default(RumAllocation).Silos);
    }

    [Fact]
    public async Task A_resident_page_is_read_and_written_at_once()
    {
        await using RumClient client = await silo.ConnectAsync();
        await using RumSegment segment = await client.AllocateAsync(1 << 20);
        byte[] page = new byte[4096];
        await segment.WriteAsync(0, page);
        long faults = client.GetStatistics().Faults;
        Assert.True(segment.ReadAsync(0, page).IsCompletedSuccessfully);
        Assert.True(segment.WriteAsync(100, page.AsMemory(0, 100)).IsCompletedSuccessfully);
        Assert.Equal(faults, client.GetStatistics().Faults);
    }

    [Fact]
    public async Task A_segment_may_exceed_two_gigabytes_and_the_silos()
    {
        await using RumClient client = await silo.ConnectAsync();
        await using RumSegment segment = await client.AllocateAsync(1L << 40, new RumAllocation { Sparse = true });
        Assert.Equal(1L << 40, segment.Length);
        foreach (long at in (long[])[0, int.MaxValue - 10L, 5L << 30, (1L << 40) - 20])
        {
            await segment.WriteAsync<long>(at, new[] { at, ~at });
        }

        await segment.FlushAsync();
        long[] pair = new long[2];
        foreach (long at in (long[])[0, int.MaxValue - 10L, 5L << 30, (1L << 40) - 20])
        {
            await segment.ReadAsync<long>(at, pair);
            Assert.Equal([at, ~at], pair);
        }

        Assert.Equal(0, segment.Read<long>(3L << 30));
        Assert.Throws<ArgumentOutOfRangeException>(() => segment.Read<long>((1L << 40) - 7));
        Assert.Throws<ArgumentOutOfRangeException>(() => segment.Read<long>(-1));
    }

    [Fact]
    public async Task A_named_segment_stays_until_it_is_deleted()
    {
        const string name = "client tests: named";
        await using RumClient client = await silo.ConnectAsync();
        await client.DeleteAsync(name);
        await using (RumSegment made = await client.AllocateAsync(10_000, RumAllocation.Named(name)))
        {
            made.Write(9_990, 77L << 8);
            await Assert.ThrowsAsync<SegmentBusyException>(async () => await client.DeleteAsync(name));
            await Assert.ThrowsAsync<SegmentExistsException>(async () => await client.AllocateAsync(10, RumAllocation.Named(name)));
        }

        await using (RumSegment reader = await client.OpenAsync(name, RumAccess.Read))
        {
            Assert.Equal(10_000, reader.Length);
            Assert.Equal(77L << 8, reader.Read<long>(9_990));
            Assert.Throws<SegmentReadOnlyException>(() => reader.Write(0, 1));
            await Assert.ThrowsAsync<SegmentReadOnlyException>(async () => await reader.WriteAsync(0, new byte[1]));
            await reader.RefreshAsync();
            Assert.Equal(77L << 8, reader.Read<long>(9_990));
        }

        Assert.True(await client.DeleteAsync(name));
        Assert.False(await client.DeleteAsync(name));
        SegmentNotFoundException e = await Assert.ThrowsAsync<SegmentNotFoundException>(async () => await client.OpenAsync(name));
        Assert.Equal(RumError.NotFound, e.Error);
        Assert.Contains("rum segment list", e.Message);
    }

    [Fact]
    public async Task Resizing_keeps_what_is_left_and_adds_zeros()
    {
        await using RumClient client = await silo.ConnectAsync();
        await using RumSegment segment = await client.AllocateAsync(100_000);
        segment.Write(90_000, 5L);
        await segment.ResizeAsync(60 << 20);
        Assert.Equal(60 << 20, segment.Length);
        Assert.Equal(5, segment.Read<long>(90_000));
        Assert.Equal(0, segment.Read<long>((60 << 20) - 8));
        await segment.ResizeAsync(50_000);
        Assert.Throws<ArgumentOutOfRangeException>(() => segment.Read<long>(90_000));
        await segment.ResizeAsync(100_000);
        Assert.Equal(0, segment.Read<long>(90_000));
    }

    [Fact]
    public async Task What_is_open_twice_is_not_resized_and_closed_by_the_last()
    {
        const string name = "client tests: twice";
        await using RumClient client = await silo.ConnectAsync();
        await client.DeleteAsync(name);
        RumSegment first = await client.AllocateAsync(10_000, RumAllocation.Named(name));
        await using (RumSegment second = await client.OpenAsync(name))
        {
            first.Write(0, 5L);
            SegmentBusyException busy = await Assert.ThrowsAsync<SegmentBusyException>(async () => await first.ResizeAsync(100));
            Assert.Contains("open 2 times", busy.Message);
            Assert.Equal((10_000, 10_000), (first.Length, second.Length));
            Assert.Equal(5, second.Read<long>(0));
            await first.DisposeAsync();
            Assert.Equal(5, second.Read<long>(0));
            await second.ResizeAsync(100_000);
            Assert.Equal((5, 0), (second.Read<long>(0), second.Read<long>(99_000)));
        }

        // Of many who open and dispose at once each has it whole.
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            for (int i = 0; i < 10; i++)
            {
                await using RumSegment again = await client.OpenAsync(name);
                Assert.Equal((100_000, 5), (again.Length, again.Read<long>(0)));
            }
        })));
        Assert.True(await client.DeleteAsync(name));
    }

    [Fact]
    public async Task A_silo_without_room_says_so_and_nothing_else_suffers()
    {
        await using RumClient client = await silo.ConnectAsync();
        await using RumSegment segment = await client.AllocateAsync(4096);
        segment.Write(0, 1L);
        OutOfRemoteMemoryException e = await Assert.ThrowsAsync<OutOfRemoteMemoryException>(async () => await client.AllocateAsync(2L << 30));
        Assert.Contains("free", e.Message);
        Assert.Equal(1, segment.Read<long>(0));
    }

    [Fact]
    public async Task Sixty_four_users_at_once_see_their_own_writes()
    {
        await using RumClient client = await silo.ConnectAsync();
        await using RumSegment segment = await client.AllocateAsync(24 << 20);
        const int users = 64, rounds = 40;
        long stripe = segment.Length / users;
        await Task.WhenAll(Enumerable.Range(0, users).Select(user => Task.Run(async () =>
        {
            Random random = new(user);
            byte[] buffer = new byte[9_000];
            long[] versions = new long[stripe / 16_384];
            for (int round = 0; round < rounds; round++)
            {
                int cell = random.Next(versions.Length);
                long at = user * stripe + cell * 16_384L;
                await segment.ReadAsync(at, buffer);
                Assert.Equal(versions[cell], BitConverter.ToInt64(buffer, 8_992));
                BitConverter.TryWriteBytes(buffer.AsSpan(8_992), ++versions[cell]);
                await segment.WriteAsync(at, buffer);
                if (round % 10 == 0) await segment.PrefetchAsync(at, 16_384);
            }
        })));
    }

    [Fact]
    public async Task Disposal_while_in_use_ends_the_users_and_not_the_process()
    {
        await using RumClient client = await silo.ConnectAsync();
        for (int round = 0; round < 5; round++)
        {
            RumSegment segment = await client.AllocateAsync(8 << 20);
            Task[] users = [.. Enumerable.Range(0, 8).Select(id => Task.Run(async () =>
            {
                Random random = new(id);
                byte[] buffer = new byte[5_000];
                while (true)
                {
                    long at = random.Next((8 << 20) - 5_000);
                    if (id % 3 == 0) await segment.WriteAsync(at, buffer);
                    else if (id % 3 == 1) await segment.ReadAsync(at, buffer);
                    else (await segment.PinAsync(at, 5_000)).Dispose();
                }
            }))];
            await Eventually.Async(() => client.GetStatistics().Faults > 200 * round, "the users are at work");
            await segment.DisposeAsync();
            foreach (Task user in users) await Assert.ThrowsAsync<ObjectDisposedException>(() => user);
        }
    }
}
