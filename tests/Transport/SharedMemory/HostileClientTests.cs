using Rum.FastPath.Drivers;
using Rum.FastPath.Drivers.SharedMemory;
using Rum.Transport.Tests.Conformance;

namespace Rum.Transport.Tests.SharedMemory;

public sealed unsafe class HostileClientTests
{
    [Theory]
    [InlineData(HostileClient.RequestTail, 129u)]
    [InlineData(HostileClient.RequestTail, 0xFFFF_FFFFu)]
    [InlineData(HostileClient.RequestTail, 0x8000_0000u)]
    public void An_impossible_tail_ends_the_connection_and_no_other(int offset, uint value)
    {
        using var pair = new SharedMemoryPair();
        using var hostile = new HostileClient(pair.Silo, pair.Path);
        hostile.Set(offset, value);
        AssertDroppedAlone(pair, hostile);
    }

    [Theory]
    [InlineData(4097u)]
    [InlineData(0xFFFF_FFFFu)]
    [InlineData(0x8000_0000u)]
    public void An_impossible_length_ends_the_connection_and_no_other(uint length)
    {
        using var pair = new SharedMemoryPair();
        using var hostile = new HostileClient(pair.Silo, pair.Path);
        hostile.Set(HostileClient.EntriesAt, 10); // The first entry is fine, the second isn't.
        hostile.Set(HostileClient.EntriesAt + HostileClient.EntryStride, length);
        hostile.Set(HostileClient.RequestTail, 2);
        AssertDroppedAlone(pair, hostile);
    }

    [Fact]
    public void An_impossible_head_ends_the_connection_when_answers_meet_it()
    {
        using var pair = new SharedMemoryPair();
        using var hostile = new HostileClient(pair.Silo, pair.Path);
        hostile.Set(HostileClient.EntriesAt, 0);
        hostile.Set(HostileClient.RequestTail, 1);
        var rx = new RxFrame[4];
        Assert.True(SpinWait.SpinUntil(() => pair.Silo.Receive(rx) == 1, 20_000), "The hostile client's frame did not arrive.");
        PeerAddress peer = rx[0].Peer;
        pair.Silo.Release();
        hostile.Set(HostileClient.AnswerHead, 200); // Ahead of everything published.
        using var frames = new TestFrames(1);
        for (int i = 0; i < 200; i++)
        {
            frames.Fill(0, peer, 1, 4096);
            Assert.Equal(1, pair.Silo.Send(frames.Tx));
        }

        AssertDroppedAlone(pair, hostile);
    }

    [Fact]
    public void Random_garbage_all_over_the_region_harms_nobody_else()
    {
        using var pair = new SharedMemoryPair();
        var random = new Random(20);
        var rx = new RxFrame[32];
        using var frames = new TestFrames(1);
        for (int round = 0; round < 40; round++)
        {
            using var hostile = new HostileClient(pair.Silo, pair.Path);
            for (int step = 0; step < 50; step++)
            {
                random.NextBytes(hostile.Region.Slice(random.Next(1024), 16));
                hostile.Set(HostileClient.RequestTail, (uint)random.Next(140));
                hostile.Set(HostileClient.EntriesAt + random.Next(64) * HostileClient.EntryStride, (uint)random.Next(5000));
                int count = pair.Silo.Receive(rx);
                for (int i = 0; i < count; i++)
                {
                    Assert.InRange(rx[i].PayloadLength, 0, 4096);
                    frames.Fill(0, rx[i].Peer, 1, 100);
                    pair.Silo.Send(frames.Tx);
                }

                pair.Silo.Release();
            }
        }

        Assert.True(pair.Silo.ConnectionCounters.Violations > 0);
        AssertServes(pair);
    }

    [Fact]
    public void A_client_that_stops_reading_does_not_hold_up_the_others()
    {
        using var pair = new SharedMemoryPair();
        using SharedMemoryClientDriver idle = pair.Join();
        using var frames = new TestFrames(1);
        frames.Fill(0, default, 1, 0);
        Assert.Equal(1, idle.Send(frames.Tx));
        var rx = new RxFrame[4];
        Assert.True(SpinWait.SpinUntil(() => pair.Silo.Receive(rx) == 1, 20_000), "The request did not arrive.");
        PeerAddress peer = rx[0].Peer;
        pair.Silo.Release();
        long sent = 0;
        Assert.True(
            SpinWait.SpinUntil(
                () =>
                {
                    frames.Fill(0, peer, 1, 4096);
                    sent += pair.Silo.Send(frames.Tx);
                    return pair.Silo.ConnectionCounters.FramesStalled > 0;
                },
                20_000),
            "Answers to a client that doesn't read were never dropped.");
        Assert.True(sent > 128);
        AssertServes(pair);
    }

    private static void AssertDroppedAlone(SharedMemoryPair pair, HostileClient hostile)
    {
        Assert.True(SharedMemoryPair.Poll(pair.Silo, () => hostile.HungUp), "The server kept the hostile client.");
        Assert.Equal(1, pair.Silo.ConnectionCounters.Violations);
        Assert.Equal(1, pair.Silo.Connections);
        Assert.Equal(1, pair.Silo.Counters.FramesDropped);
        AssertServes(pair);
    }

    /// <summary>The proper client of the pair still gets its answer.</summary>
    private static void AssertServes(SharedMemoryPair pair)
    {
        using var frames = new TestFrames(1);
        frames.Fill(0, pair.ServerAddress, 42, 512);
        Assert.Equal(1, pair.Client.Send(frames.Tx));
        var rx = new RxFrame[8];
        bool answered = SpinWait.SpinUntil(
            () =>
            {
                int count = pair.Silo.Receive(rx);
                for (int i = 0; i < count; i++)
                {
                    if (rx[i].PayloadLength != 512) continue;
                    frames.Fill(0, rx[i].Peer, 43, 4096);
                    pair.Silo.Send(frames.Tx);
                }

                pair.Silo.Release();
                count = pair.Client.Receive(rx);
                bool done = count == 1 && TestFrames.Verify(rx[0]) == 43;
                pair.Client.Release();
                return done;
            },
            20_000);
        Assert.True(answered, "The proper client got no answer.");
    }
}
