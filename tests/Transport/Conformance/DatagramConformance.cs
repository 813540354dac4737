using System.Runtime.InteropServices;
using Rum.FastPath.Drivers;

namespace Rum.Transport.Tests.Conformance;

/// <summary>What drivers must do besides over media that can carry things which are no frames.</summary>
public abstract unsafe class DatagramConformance : DriverConformance
{
    /// <summary>Puts <paramref name="length"/> bytes in front of the server that are no frame.</summary>
    protected abstract void InjectGarbage(DriverPair pair, int length);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(127)]
    [InlineData(128 + 4096 + 1)]
    public void Garbage_is_dropped_and_counted_and_good_frames_around_it_survive(int length)
    {
        using DriverPair pair = Create();
        using var frames = new TestFrames(2);
        frames.Fill(0, pair.ServerAddress, 1, 100);
        frames.Fill(1, pair.ServerAddress, 2, 300);
        SendAll(pair, pair.Client, frames.Tx.AsSpan(0, 1));
        InjectGarbage(pair, length);
        SendAll(pair, pair.Client, frames.Tx.AsSpan(1, 1));
        byte* landing = (byte*)NativeMemory.AlignedAlloc(8 * 4096, 4096);
        var rx = new RxFrame[8];
        var seen = new List<uint>();
        Until("the garbage was dropped and both frames arrived", pair, () =>
        {
            for (int i = 0; i < 8; i++) rx[i].Landing = landing + i * 4096;
            int count = pair.Server.Receive(rx);
            for (int i = 0; i < count; i++) seen.Add(TestFrames.Verify(rx[i]));
            Assert.Equal(8, rx.Select(frame => (nint)frame.Landing).Distinct().Count());
            pair.Server.Release();
            return seen.Count == 2 && pair.Server.Counters.FramesDropped == 1;
        });
        Assert.Equal([1u, 2u], seen.Order());
        Assert.Equal(2, pair.Server.Counters.FramesReceived);
        NativeMemory.AlignedFree(landing);
    }
}
