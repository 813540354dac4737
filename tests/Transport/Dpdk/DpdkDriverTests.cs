using System.Diagnostics;
using Rum.FastPath.Drivers;
using Rum.FastPath.Drivers.Dpdk;
using Rum.Transport.Tests.Conformance;

namespace Rum.Transport.Tests.Dpdk;

/// <summary>What is DPDK's own: copies, foreign frames, frames made by hand.</summary>
[Collection("dpdk")]
public sealed class DpdkDriverTests
{
    private const int PageBytes = 4096;

    [Theory]
    [InlineData("vhost", "", 0)]
    [InlineData("packet", "", 0)]
    [InlineData("vhost", "--copy", PageBytes)]
    [InlineData("packet", "--copy", PageBytes)]
    public void A_page_is_sent_from_its_place_and_received_in_the_ports_buffer(string way, string options, int copiedPerPage)
    {
        const int Pages = 20;
        using DpdkPair pair = way == "vhost" ? DpdkPair.Vhost(options) : DpdkPair.Kernel(DpdkPair.PacketSocket, 9000, options);
        using var frames = new TestFrames(Pages);
        // The client speaks first, so that the server's frames find their way on every kind of wire.
        for (int i = 0; i < Pages; i++) frames.Fill(i, pair.ClientDriver.Address, (uint)i, PageBytes);
        Assert.Equal(Pages, pair.Server.Send(frames.Tx));
        Receive(pair.Client, Pages);
        Assert.Equal(Pages * copiedPerPage, pair.Server.Counters.BytesCopiedSending);
        Assert.Equal(0, pair.Client.Counters.BytesCopiedReceiving);
    }

    [Fact]
    public void Frames_that_are_not_ours_are_counted_and_not_reported()
    {
        using DpdkPair pair = DpdkPair.Vhost();
        byte[] content = new byte[200];
        RawFrames.Send(pair.ClientDriver, pair.ServerDriver.Port.Mac, 0x0806, content);
        RawFrames.Send(pair.ClientDriver, 0x0000_1234_5602, DpdkOptions.DefaultEtherType, content);
        RawFrames.Send(pair.ClientDriver, pair.ServerDriver.Port.Mac, DpdkOptions.DefaultEtherType, new byte[5]);
        RawFrames.Send(pair.ClientDriver, pair.ServerDriver.Port.Mac, DpdkOptions.DefaultEtherType, new byte[128 + PageBytes + 1]);
        using var frames = new TestFrames(1);
        frames.Fill(0, pair.ServerAddress, 3, 100);
        Assert.Equal(1, pair.Client.Send(frames.Tx));
        Assert.Equal([3u], Receive(pair.Server, 1));
        Assert.Equal((2L, 2L), (pair.Server.Counters.FramesForeign, pair.Server.Counters.FramesDropped));
    }

    [Fact]
    public void Datagrams_with_broken_headers_are_dropped()
    {
        // Not over a packet socket: there the kernel keeps fragments until they are whole.
        using DpdkPair pair = DpdkPair.Vhost("--ip 10.77.0.1/24");
        byte[] good = Datagram(), sum = Datagram(), fragment = Datagram(), shortened = Datagram(), foreign = Datagram();
        sum[10] ^= 1;
        fragment[6] = 0x20;
        Reseal(fragment);
        shortened[25] = 100;
        foreign[19] = 9;
        Reseal(foreign);
        foreach (byte[] one in (byte[][])[sum, fragment, shortened, foreign, good]) RawFrames.Send(pair.ClientDriver, pair.ServerDriver.Port.Mac, 0x0800, one);
        Assert.Single(Receive(pair.Server, 1));
        Assert.Equal((1L, 3L), (pair.Server.Counters.FramesForeign, pair.Server.Counters.FramesDropped));
    }

    [Fact]
    public void A_silo_is_learned_by_asking()
    {
        using DpdkPair pair = DpdkPair.Vhost();
        var known = new Dictionary<ulong, PeerAddress>();
        DpdkDiscovery.Ask(pair.ClientDriver, 1, 20_000_000, known);
        // Nobody answers here; that the question came, well-formed and to everybody, is what a page server needs.
        Assert.Empty(known);
        var rx = new RxFrame[8];
        Assert.True(pair.Server.Receive(rx) > 0);
        Assert.Equal(pair.ClientDriver.Address, rx[0].Peer);
        pair.Server.Release();
    }

    [Fact]
    public void A_peer_that_hung_up_is_noticed()
    {
        using DpdkPair pair = DpdkPair.Vhost();
        Assert.False(pair.Client.Disconnected);
        pair.KillServer();
        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                if (pair.Client.PrepareWait()) pair.Client.FinishWait();
                return pair.Client.Disconnected;
            }, 20_000), "The client didn't notice within 20 s.");
    }

    private static List<uint> Receive(IDriver driver, int count)
    {
        var rx = new RxFrame[16];
        var seen = new List<uint>();
        long start = Stopwatch.GetTimestamp();
        while (seen.Count < count)
        {
            int got = driver.Receive(rx);
            for (int i = 0; i < got; i++) seen.Add(TestFrames.Verify(rx[i]));
            driver.Release();
            if (Stopwatch.GetElapsedTime(start) > TimeSpan.FromSeconds(20)) Assert.Fail($"{seen.Count} of {count} frames came within 20 s.");
        }
        return seen;
    }

    /// <summary>An IPv4 packet from 10.77.0.2 to 10.77.0.1 with a frame of 128 bytes in UDP.</summary>
    private static byte[] Datagram()
    {
        byte[] bytes = new byte[28 + 128];
        bytes[0] = 0x45;
        bytes[3] = (byte)bytes.Length;
        bytes[8] = 64;
        bytes[9] = 17;
        (bytes[12], bytes[13], bytes[15]) = (10, 77, 2);
        (bytes[16], bytes[17], bytes[19]) = (10, 77, 1);
        (bytes[20], bytes[21], bytes[22], bytes[23]) = (7400 >> 8, 7400 & 255, 7400 >> 8, 7400 & 255);
        bytes[25] = 8 + 128;
        // The frame's magic and the complement of its number, as TestFrames has it.
        (bytes[28], bytes[29]) = (0x52, 0x55);
        for (int i = 0; i < 8; i++) bytes[28 + 40 + i] = 0xFF;
        Reseal(bytes);
        return bytes;
    }

    private static void Reseal(byte[] packet)
    {
        packet[10] = packet[11] = 0;
        uint sum = 0;
        for (int i = 0; i < 20; i += 2) sum += (uint)((packet[i] << 8) | packet[i + 1]);
        while (sum > 0xFFFF) sum = (sum & 0xFFFF) + (sum >> 16);
        ushort complement = (ushort)~sum;
        (packet[10], packet[11]) = ((byte)(complement >> 8), (byte)complement);
    }
}
