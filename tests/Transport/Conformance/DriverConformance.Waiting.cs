using System.Diagnostics;
using Rum.FastPath.Drivers;
using Rum.FastPath.Linux;

namespace Rum.Transport.Tests.Conformance;

public abstract unsafe partial class DriverConformance
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);

    protected delegate void FrameAction(in RxFrame frame);

    [Fact]
    public void Back_pressure_takes_fewer_and_ends_once_the_receiver_drains()
    {
        using DriverPair pair = Create();
        using var frames = new TestFrames(16);
        for (int i = 0; i < 16; i++) frames.Fill(i, pair.ServerAddress, (uint)i, pair.Client.Traits.MaxPayload);
        long sent = 0;
        bool pushedBack = false;
        for (int round = 0; round < 512 && !pushedBack; round++)
        {
            int taken = pair.Client.Send(frames.Tx);
            Assert.InRange(taken, 0, 16);
            sent += taken;
            pushedBack = taken < 16;
        }

        // A lossy medium may drop instead; one that promises reliability must push back.
        if (pair.Client.Traits.Reliable) Assert.True(pushedBack, "A full ring took everything.");
        if (!pushedBack) return;
        Assert.True(pair.Client.Counters.SendBackPressure > 0);
        Assert.Equal(sent, pair.Client.Counters.FramesSent);
        var rx = new RxFrame[32];
        Until("a frame was taken again", pair, () =>
        {
            for (int i = 0; i < 64 && pair.Server.Receive(rx) > 0; i++) pair.Server.Release();
            return pair.Client.Send(frames.Tx.AsSpan(0, 1)) == 1;
        });
    }

    [Fact]
    public void Prepare_wait_sees_what_came_before_and_the_descriptor_what_comes_after()
    {
        using DriverPair pair = Create();
        using var frames = new TestFrames(1);
        int descriptor = pair.Server.WaitDescriptor;
        if (descriptor < 0)
        {
            AssertPolled(pair, frames);
            return;
        }

        Exchange(pair, frames); // Connections are made by now, so nothing but frames can wake.

        frames.Fill(0, pair.ServerAddress, 1, 8);
        SendAll(pair, pair.Client, frames.Tx);
        if (pair.Server.PrepareWait()) Assert.Equal(1, Polling.WaitReadable([descriptor], 20_000_000_000));
        pair.Server.FinishWait();
        Drain(pair, pair.Server, 1, (in RxFrame _) => { });

        Assert.True(pair.Server.PrepareWait());
        Assert.Equal(0, Polling.WaitReadable([descriptor], 0));
        SendAll(pair, pair.Client, frames.Tx);
        Assert.Equal(1, Polling.WaitReadable([descriptor], 20_000_000_000));
        pair.Server.FinishWait();
        Drain(pair, pair.Server, 1, (in RxFrame _) => { });

        Assert.True(pair.Server.PrepareWait());
        Assert.Equal(0, Polling.WaitReadable([descriptor], 0));
        pair.Server.FinishWait();
    }

    [Fact]
    public void No_wake_up_is_lost_between_two_sleeping_threads()
    {
        const int Rounds = 2_000;
        using DriverPair pair = Create();
        if (pair.Server.WaitDescriptor < 0) Assert.Skip("This driver must be polled.");
        Exception? failure = null;
        var echo = new Thread(() =>
        {
            try
            {
                using var answers = new TestFrames(1);
                for (uint round = 0; round < Rounds; round++)
                {
                    PeerAddress from = Await(pair.Server, round, "server");
                    answers.Fill(0, from, round, 32);
                    Assert.Equal(1, pair.Server.Send(answers.Tx));
                }
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        echo.Start();
        using var frames = new TestFrames(1);
        for (uint round = 0; round < Rounds && failure is null; round++)
        {
            frames.Fill(0, pair.ServerAddress, round, 16);
            Assert.Equal(1, pair.Client.Send(frames.Tx));
            Await(pair.Client, round, "client");
        }

        echo.Join();
        Assert.Null(failure);
    }

    /// <summary>Waits for one frame by blocking, after a spin whose length varies so that the flag is raised at every possible moment.</summary>
    private static PeerAddress Await(IDriver driver, uint round, string who)
    {
        var rx = new RxFrame[1];
        uint spins = round * 2654435761 >> 23;
        for (uint tries = 0; ; tries++)
        {
            if (driver.Receive(rx) == 1)
            {
                Assert.Equal(round, TestFrames.Verify(rx[0]));
                PeerAddress from = rx[0].Peer;
                driver.Release();
                return from;
            }

            if (tries < spins) continue;
            if (driver.PrepareWait() && Polling.WaitReadable([driver.WaitDescriptor], 20_000_000_000) == 0)
                Assert.Fail($"The {who} slept 20 s in round {round}: the frame or its wake-up was lost.");
            driver.FinishWait();
        }
    }

    /// <summary>A driver without a descriptor still says whether frames are there.</summary>
    private static void AssertPolled(DriverPair pair, TestFrames frames)
    {
        Assert.True(pair.Server.PrepareWait());
        pair.Server.FinishWait();
        frames.Fill(0, pair.ServerAddress, 1, 8);
        SendAll(pair, pair.Client, frames.Tx);
        pair.Flow();
        Assert.False(pair.Server.PrepareWait());
    }

    private static void Exchange(DriverPair pair, TestFrames frames)
    {
        const int Queues = 2, QuietLooks = 20;
        frames.Fill(0, pair.ServerAddress, 0, 0);
        // Once over each queue where they are taken in turn: a peer sets them up one after the other.
        for (int queue = 0; queue < Queues; queue++)
        {
            SendAll(pair, pair.Client, frames.Tx.AsSpan(0, 1));
            Drain(pair, pair.Server, 1, (in RxFrame _) => { });
        }
        int descriptor = pair.Server.WaitDescriptor;
        if (descriptor < 0) return;
        // What says that a queue is there may come after its first frame.
        int quiet = 0;
        Until("nothing wakes any more", pair, () =>
        {
            quiet = pair.Server.PrepareWait() && Polling.WaitReadable([descriptor], 0) == 0 ? quiet + 1 : 0;
            pair.Server.FinishWait();
            return quiet == QuietLooks;
        });
    }

    protected static void SendAll(DriverPair pair, IDriver driver, ReadOnlySpan<TxFrame> frames)
    {
        long start = Stopwatch.GetTimestamp();
        while (frames.Length > 0)
        {
            frames = frames[driver.Send(frames)..];
            if (frames.Length > 0) pair.Flow();
            if (Stopwatch.GetElapsedTime(start) > Bound) Assert.Fail($"{frames.Length} frames were not taken within {Bound}.");
        }
    }

    protected static void Drain(DriverPair pair, IDriver driver, int count, FrameAction action)
    {
        var rx = new RxFrame[16];
        int received = 0;
        Until($"{count} frames arrived", pair, () =>
        {
            int got = driver.Receive(rx.AsSpan(0, Math.Min(rx.Length, count - received + 1)));
            for (int i = 0; i < got; i++) action(rx[i]);
            driver.Release();
            received += got;
            return received >= count;
        });
        Assert.Equal(count, received);
    }

    protected static void Until(string transition, DriverPair pair, Func<bool> reached)
    {
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            pair.Flow();
            if (reached()) return;
            if (Stopwatch.GetElapsedTime(start) > Bound) Assert.Fail($"Within {Bound} it did not happen that {transition}.");
            Thread.Yield();
        }
    }
}
