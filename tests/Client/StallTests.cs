using System.Diagnostics;

namespace Rum.Client.Tests;

/// <summary>A silo that doesn't answer for two seconds.</summary>
public sealed class StallTests(Silo silo)
{
    private const int StallMs = 2_000;

    // A fault that holds up a collection does so until the stall ends: that, and no machine's load, is told from half a stall.
    private const int PauseMsMax = StallMs / 2;

    // Over shared memory a silo that stands still is read from all the same.
    private static RumClientOptions Stalls(RumClientOptions options) => options with { Lease = TimeSpan.FromMinutes(1), Transport = RumTransport.Udp };

    [Fact]
    public async Task Stalled_reads_writes_and_pins_hold_up_neither_collections_nor_the_session()
    {
        await using RumClient client = await silo.ConnectAsync(Stalls);
        await using RumSegment segment = await FilledAsync(client);
        List<Task> waiting = [];
        double longest = 0;
        int collections = 0;
        using (silo.Stall())
        {
            Stopwatch clock = Stopwatch.StartNew();
            for (int i = 0; i < 24; i++)
            {
                long at = i * 100_000L;
                if (i % 3 == 0) waiting.Add(segment.ReadAsync(at, new byte[5_000]).AsTask());
                else if (i % 3 == 1) waiting.Add(segment.WriteAsync(at, new byte[5_000]).AsTask());
                else waiting.Add(PinAsync(segment, at));
            }

            Thread blocked = new(() => segment.Read<long>(15 << 20));
            blocked.Start();
            while (clock.ElapsedMilliseconds < StallMs)
            {
                long start = Stopwatch.GetTimestamp();
                GC.Collect(collections++ % 3);
                longest = Math.Max(longest, Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                // The pool answers too: nobody blocks in it.
                Assert.Equal(1, await Task.Run(() => 1));
                Assert.DoesNotContain(waiting, task => task.IsFaulted);
            }

            Assert.Contains(waiting, task => !task.IsCompleted);
            Assert.True(blocked.IsAlive, "the blocked thread read a page that nobody could give it");
        }

        await Task.WhenAll(waiting).WaitAsync(Eventually.Patience);
        Assert.False(client.SessionLost.IsCancellationRequested);
        Assert.Equal(7, segment.Read<byte>(1_000_000 - 1));
        Assert.True(longest < PauseMsMax, $"the longest of {collections} collections took {longest:F1} ms");
    }

    [Fact]
    public async Task A_cancelled_call_ends_at_once_and_leaves_its_buffer_alone()
    {
        await using RumClient client = await silo.ConnectAsync(Stalls);
        await using RumSegment segment = await FilledAsync(client);
        byte[] buffer = new byte[5_000];
        using (silo.Stall())
        {
            using CancellationTokenSource cancellation = new(100);
            // The stall lasts for as long as this: nothing else can end the calls.
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => segment.ReadAsync(0, buffer, cancellation.Token).AsTask().WaitAsync(Eventually.Patience));
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => segment.WriteAsync(8_192, buffer, cancellation.Token).AsTask().WaitAsync(Eventually.Patience));
            using CancellationTokenSource again = new(100);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => segment.PinAsync(200_000, 10, again.Token).AsTask().WaitAsync(Eventually.Patience));
        }

        Assert.False(buffer.AsSpan().ContainsAnyExcept((byte)0));
        await segment.ReadAsync(0, buffer);
        Assert.Equal(7, buffer[0]);
        Assert.Equal(7, segment.Read<byte>(8_192));
        await Eventually.Async(() => client.GetStatistics().PinnedBytes == 0, "what the cancelled calls pinned is let go");
    }

    /// <summary>A segment four times the cache, all 7, of which the first part is absent.</summary>
    private static async Task<RumSegment> FilledAsync(RumClient client)
    {
        RumSegment segment = await client.AllocateAsync(16 << 20);
        byte[] sevens = new byte[1 << 20];
        sevens.AsSpan().Fill(7);
        for (long at = 0; at < segment.Length; at += sevens.Length) await segment.WriteAsync(at, sevens);
        await segment.FlushAsync();
        await segment.ReadAsync(8 << 20, new byte[6 << 20]);
        Assert.False(segment.TryPin(0, 1, out _));
        return segment;
    }

    private static async Task PinAsync(RumSegment segment, long at)
    {
        using RumPin pin = await segment.PinAsync(at, 100);
        Assert.Equal(100, pin.GetSpan().Length);
    }
}
