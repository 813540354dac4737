using Rum.FastPath.Frames;
using Rum.FastPath.Linux;
using Rum.FastPath.Memory;

namespace Rum.FastPath.Drivers.Dpdk;

/// <summary>
/// Learns who is at a port: says Hello to everybody on the link and notes which silo's life answers from which address. Before the driver has an owner; blocks.
/// </summary>
public static unsafe class DpdkDiscovery
{
    private const long RepeatNs = 50_000_000;

    /// <summary>Asks until <paramref name="wanted"/> lives have answered or the time is up; adds to <paramref name="known"/> by incarnation.</summary>
    public static void Ask(DpdkDriver driver, int wanted, long boundNs, Dictionary<ulong, PeerAddress> known)
    {
        using var memory = new NativeRegion(FrameHeader.Size);
        var header = (FrameHeader*)memory.Start;
        FrameCodec.Start(header, FrameType.Hello);
        FrameCodec.Seal(header, null, driver.Traits.Checksummed);
        var frame = new TxFrame { Peer = driver.Everybody, Header = (byte*)header };
        var answers = new RxFrame[16];
        long end = MonotonicClock.NowNs + boundNs, next = 0;
        while (known.Count < wanted && MonotonicClock.NowNs < end && !driver.Disconnected)
        {
            if (MonotonicClock.NowNs >= next)
            {
                _ = driver.Send(new ReadOnlySpan<TxFrame>(in frame));
                next = MonotonicClock.NowNs + RepeatNs;
            }
            int count = driver.Receive(answers);
            for (int i = 0; i < count; i++)
            {
                ref RxFrame answer = ref answers[i];
                if (FrameCodec.Check(answer.Header, answer.Payload, answer.PayloadLength, driver.Traits.Checksummed) != FrameFault.None) continue;
                var its = (FrameHeader*)answer.Header;
                if (its->Type == FrameType.HelloAnswer) known[its->Incarnation] = answer.Peer;
            }
            driver.Release();
            if (count == 0) _ = Scheduling.sched_yield();
        }
    }
}
