using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Rum.Core;
using Rum.FastPath.Frames;
using Rum.FastPath.Linux;

namespace Rum.FastPath.Drivers;

/// <summary>
/// Times drivers alone, without page client and page server: a header goes out, a page comes back and is copied once. For benchmarks. Each end is owned by one thread and polls.
/// </summary>
public static unsafe class DriverProbe
{
    private const int Burst = 32;
    private const int Pages = 1024;
    private const long LostNs = 2_000_000_000;

    /// <summary>Answers each frame with its header and a page, until <paramref name="stopped"/>. <paramref name="yields"/>: for two ends on one CPU.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)] // One call for all: it would stay what was compiled in its middle.
    public static void Serve(IDriver driver, bool yields, Func<bool> stopped)
    {
        byte* pages = Allocate(Pages * Layout.PageSize, 0x5A), headers = Allocate(Burst * FrameHeader.Size, 0);
        var rx = new RxFrame[Burst];
        var tx = new TxFrame[Burst];
        uint page = 0;
        while (!stopped())
        {
            int count = driver.Receive(rx);
            for (int i = 0; i < count; i++)
            {
                var header = (FrameHeader*)(headers + (i * FrameHeader.Size));
                *header = *(FrameHeader*)rx[i].Header;
                tx[i] = new TxFrame { Peer = rx[i].Peer, Header = (byte*)header, Payload = pages + ((page++ * 7 % Pages) * Layout.PageSize), PayloadLength = driver.Traits.MaxPayload };
            }
            for (int sent = 0; sent < count && !stopped();) sent += driver.Send(tx.AsSpan(sent, count - sent));
            driver.Release();
            if (count == 0 && yields) _ = Scheduling.sched_yield();
        }
        NativeMemory.AlignedFree(pages);
        NativeMemory.AlignedFree(headers);
    }

    /// <summary>
    /// Asks so many times, <paramref name="depth"/> outstanding; returns how long each took, in nanoseconds. <paramref name="server"/> becomes whoever answered. What is lost
    /// stays out: when nothing has come for two seconds it throws.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static long[] Ask(IDriver driver, ref PeerAddress server, int depth, int operations, bool yields)
    {
        byte* pages = Allocate(Pages * Layout.PageSize, 0), headers = Allocate(Burst * FrameHeader.Size, 0);
        var rx = new RxFrame[Burst];
        var tx = new TxFrame[Burst];
        var times = new long[operations];
        int asked = 0, answered = 0;
        uint slot = 0, empty = 0;
        long heard = MonotonicClock.NowNs;
        while (answered < operations)
        {
            int send = Math.Min(Math.Min(depth - (asked - answered), operations - asked), Burst);
            if (send > 0)
            {
                long now = MonotonicClock.NowNs;
                for (int i = 0; i < send; i++)
                {
                    var header = (FrameHeader*)(headers + (i * FrameHeader.Size));
                    header->Sequence = (ulong)now;
                    tx[i] = new TxFrame { Peer = server, Header = (byte*)header };
                }
                asked += driver.Send(tx.AsSpan(0, send));
            }
            if (driver.Traits.UsesLanding)
                for (int i = 0; i < Burst; i++) rx[i].Landing = pages + ((slot + (uint)i) % Pages * Layout.PageSize);
            int got = driver.Receive(rx);
            if (got == 0)
            {
                if (yields) _ = Scheduling.sched_yield();
                // Seldom: reading the clock takes longer than looking for a frame.
                if ((++empty & 0xFFF) == 0 && MonotonicClock.NowNs - heard > LostNs) throw new TimeoutException($"{asked - answered} frames were not answered within two seconds.");
                continue;
            }
            heard = MonotonicClock.NowNs;
            for (int i = 0; i < got; i++)
            {
                if (rx[i].Payload != rx[i].Landing) Buffer.MemoryCopy(rx[i].Payload, pages + (slot % Pages * Layout.PageSize), Layout.PageSize, rx[i].PayloadLength);
                slot++;
                times[answered++] = MonotonicClock.NowNs - (long)((FrameHeader*)rx[i].Header)->Sequence;
                server = rx[i].Peer;
                if (answered == operations) break;
            }
            driver.Release();
        }
        NativeMemory.AlignedFree(pages);
        NativeMemory.AlignedFree(headers);
        return times;
    }

    private static byte* Allocate(int bytes, byte value)
    {
        var memory = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, Layout.PageSize);
        new Span<byte>(memory, bytes).Fill(value);
        return memory;
    }
}
