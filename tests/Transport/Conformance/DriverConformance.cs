using System.Diagnostics;
using System.Runtime.InteropServices;
using Rum.FastPath.Drivers;
using Rum.FastPath.Frames;

namespace Rum.Transport.Tests.Conformance;

/// <summary>What every driver must do. Run for each kind by a class that makes the pairs.</summary>
public abstract unsafe partial class DriverConformance
{
    protected abstract DriverPair Create();

    [Fact]
    public void A_burst_arrives_whole_and_unaltered()
    {
        using DriverPair pair = Create();
        using var frames = new TestFrames(48);
        for (int i = 0; i < frames.Count; i++) frames.Fill(i, pair.ServerAddress, (uint)i, Math.Min(pair.Client.Traits.MaxPayload, i * 29));
        SendAll(pair, pair.Client, frames.Tx);
        var seen = new HashSet<uint>();
        var order = new List<uint>();
        Drain(pair, pair.Server, frames.Count, (in RxFrame frame) =>
        {
            uint number = TestFrames.Verify(frame);
            Assert.True(seen.Add(number), $"Frame {number} came twice.");
            order.Add(number);
        });
        if (pair.Client.Traits.Reliable) Assert.Equal(Enumerable.Range(0, frames.Count).Select(i => (uint)i), order);
    }

    [Fact]
    public void The_answer_goes_to_the_address_the_request_came_from()
    {
        using DriverPair pair = Create();
        using var frames = new TestFrames(1);
        frames.Fill(0, pair.ServerAddress, 7, 0);
        SendAll(pair, pair.Client, frames.Tx);
        PeerAddress from = default;
        Drain(pair, pair.Server, 1, (in RxFrame frame) => from = frame.Peer);
        frames.Fill(0, from, 8, pair.Server.Traits.MaxPayload);
        SendAll(pair, pair.Server, frames.Tx);
        Drain(pair, pair.Client, 1, (in RxFrame frame) =>
        {
            Assert.Equal(8u, TestFrames.Verify(frame));
            Assert.Equal(pair.ServerAddress, frame.Peer);
            Assert.Equal(pair.Server.Traits.MaxPayload, frame.PayloadLength);
        });
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(64)]
    [InlineData(1024)]
    public void Payloads_of_any_length_keep_it(int length)
    {
        using DriverPair pair = Create();
        using var frames = new TestFrames(2);
        frames.Fill(0, pair.ServerAddress, 1, length);
        frames.Fill(1, pair.ServerAddress, 2, pair.Client.Traits.MaxPayload);
        SendAll(pair, pair.Client, frames.Tx);
        var lengths = new List<int>();
        Drain(pair, pair.Server, 2, (in RxFrame frame) =>
        {
            TestFrames.Verify(frame);
            lengths.Add(frame.PayloadLength);
        });
        Assert.Equal([length, pair.Client.Traits.MaxPayload], lengths.Order());
    }

    [Fact]
    public void Lent_buffers_are_used_where_the_driver_says_so()
    {
        using DriverPair pair = Create();
        using var frames = new TestFrames(4);
        for (int i = 0; i < 4; i++) frames.Fill(i, pair.ServerAddress, (uint)i, i == 2 ? 0 : 200 + i);
        SendAll(pair, pair.Client, frames.Tx);
        byte* landing = (byte*)NativeMemory.AlignedAlloc(4 * 4096, 4096);
        var rx = new RxFrame[8];
        int received = 0, lent = 0;
        Until("4 frames arrived", pair, () =>
        {
            for (int i = 0; i < 4; i++) rx[i].Landing = landing + i * 4096;
            int count = pair.Server.Receive(rx.AsSpan(0, 4 - received));
            var used = new HashSet<nint>();
            for (int i = 0; i < count; i++)
            {
                TestFrames.Verify(rx[i]);
                if (rx[i].PayloadLength > 0 && rx[i].Payload == rx[i].Landing)
                {
                    lent++;
                    Assert.True(used.Add((nint)rx[i].Landing), "A lent buffer was used for two frames.");
                }
            }

            received += count;
            pair.Server.Release();
            return received == 4;
        });
        Assert.Equal(pair.Server.Traits.UsesLanding ? 3 : 0, lent);
        NativeMemory.AlignedFree(landing);
    }

    [Fact]
    public void Counters_say_what_happened()
    {
        using DriverPair pair = Create();
        using var frames = new TestFrames(3);
        for (int i = 0; i < 3; i++) frames.Fill(i, pair.ServerAddress, (uint)i, 10);
        SendAll(pair, pair.Client, frames.Tx);
        Drain(pair, pair.Server, 3, (in RxFrame _) => { });
        Assert.Equal((3, 3 * (128 + 10)), (pair.Client.Counters.FramesSent, pair.Client.Counters.BytesSent));
        Assert.Equal((3, 3 * (128 + 10)), (pair.Server.Counters.FramesReceived, pair.Server.Counters.BytesReceived));
        Assert.Equal(0, pair.Server.Counters.FramesDropped);
    }

    [Fact]
    public void A_frame_to_a_peer_that_is_gone_is_taken_and_lost()
    {
        using DriverPair pair = Create();
        using var frames = new TestFrames(16);
        for (int i = 0; i < frames.Count; i++) frames.Fill(i, pair.ServerAddress, (uint)i, 64);
        SendAll(pair, pair.Client, frames.Tx);
        pair.KillServer();
        for (int round = 0; round < 50; round++) SendAll(pair, pair.Client, frames.Tx);
        var rx = new RxFrame[16];
        Assert.Equal(0, pair.Client.Receive(rx));
        pair.Client.Release();
    }

    [Fact]
    public void Disposing_twice_is_harmless()
    {
        using DriverPair pair = Create();
        pair.Client.Dispose();
        pair.Client.Dispose();
        pair.Server.Dispose();
        pair.Server.Dispose();
    }

    [Fact]
    public void Nothing_is_allocated_per_burst()
    {
        using DriverPair pair = Create();
        using var frames = new TestFrames(16);
        var rx = new RxFrame[16];
        long before = 0;
        for (int round = 0; round < 400; round++)
        {
            if (round == 200) before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < frames.Count; i++) frames.Fill(i, pair.ServerAddress, (uint)i, 256);
            int sent = pair.Client.Send(frames.Tx);
            pair.Flow();
            for (int got = 0, tries = 0; got < sent && tries < 10_000; tries++)
            {
                got += pair.Server.Receive(rx);
                pair.Server.Release();
            }

            if (pair.Server.PrepareWait()) pair.Server.FinishWait();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.True(pair.Server.Counters.FramesReceived > 400, $"Only {pair.Server.Counters.FramesReceived} frames arrived.");
    }
}
