using System.Diagnostics;
using System.Runtime.InteropServices;
using Rum.FastPath.Drivers;
using Rum.FastPath.Drivers.SharedMemory;
using Rum.FastPath.Frames;

namespace Rum.Transport.Tests.SharedMemory;

/// <summary>
/// The one race of the rings: a consumer that goes to sleep while a producer publishes. Each round lets both run at once, without the system call that
/// would hide the few nanoseconds that matter, and asks whether the consumer slept and nobody owed it a wake-up.
/// </summary>
public sealed unsafe class SleepLitmus
{
    private const int Entries = 4;
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SearchDuration = TimeSpan.FromSeconds(5); // Ends with the first find, usually at once.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private const int RoundsMin = 100;
    private int _go;
    private int _done;
    private bool _owed;
    private volatile bool _stop;

    [Fact]
    public void A_consumer_that_sleeps_is_always_owed_a_wake_up()
    {
        bool lost = Race(fenced: true, out int rounds);
        Assert.False(lost, $"In round {rounds} the consumer slept and the producer owed it nothing.");
        Assert.True(rounds > RoundsMin, $"Only {rounds} rounds were run.");
    }

    [Fact]
    public void The_litmus_finds_a_producer_without_its_fence()
    {
        if (!Race(fenced: false, out int rounds))
            Assert.Skip($"Inconclusive: in {rounds} rounds this machine never showed the reordering.");
    }

    private bool Race(bool fenced, out int rounds)
    {
        byte* region = (byte*)NativeMemory.AlignedAlloc((nuint)RingLayout.RegionBytes(Entries), 4096);
        NativeMemory.Clear(region, (nuint)RingLayout.RegionBytes(Entries));
        byte* headers = stackalloc byte[Entries * FrameHeader.Size];
        var consumer = new RingConsumer(region, 0, Entries);
        nint at = (nint)region;
        var producing = new Thread(() => Produce((byte*)at, fenced));
        producing.Start();
        var rx = new RxFrame[Entries];
        long start = Stopwatch.GetTimestamp();
        int round = 0;
        bool lost = false;
        // Two threads that share one CPU take a time slice for a round: there the rounds count, not the time.
        while (!lost && (Stopwatch.GetElapsedTime(start) < (fenced ? Duration : SearchDuration) || (round <= RoundsMin && Stopwatch.GetElapsedTime(start) < Patience)))
        {
            round++;
            Volatile.Write(ref _go, round);
            for (int delay = round * 7 % 97; delay > 0; delay--) Thread.SpinWait(1);
            consumer.Announce();
            Interlocked.MemoryBarrier();
            bool slept = !consumer.HasMore;
            while (Volatile.Read(ref _done) != round) Thread.SpinWait(1);
            lost = slept && !_owed;
            consumer.Withdraw();
            Assert.Equal(RingResult.Done, consumer.Take(rx, headers, default, out int count, out _));
            Assert.Equal(1, count);
            consumer.Release();
        }

        _stop = true;
        producing.Join();
        NativeMemory.AlignedFree(region);
        rounds = round;
        return lost;
    }

    private void Produce(byte* region, bool fenced)
    {
        var producer = new RingProducer(region, 0, Entries);
        byte* header = stackalloc byte[FrameHeader.Size];
        var frame = new TxFrame { Header = header };
        byte* words = RingLayout.Words(region, 0);
        for (int round = 1; ; round++)
        {
            while (Volatile.Read(ref _go) != round)
                if (_stop) return;
            producer.TryWrite(frame);
            if (fenced) _owed = producer.Publish();
            else
            {
                Volatile.Write(ref *(uint*)(words + RingLayout.TailAt), (uint)round);
                _owed = Volatile.Read(ref *(uint*)(words + RingLayout.SleepingAt)) != 0;
            }

            Volatile.Write(ref _done, round);
        }
    }
}
