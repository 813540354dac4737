using System.Net;
using System.Net.Sockets;
using Rum.FastPath.Drivers;
using Rum.FastPath.Drivers.Udp;
using Rum.FastPath.Linux;
using Rum.Transport.Tests.Conformance;

namespace Rum.Transport.Tests.Udp;

public sealed class UdpTests
{
    [Theory]
    [InlineData("127.0.0.1", 7400)]
    [InlineData("10.255.0.3", 65535)]
    [InlineData("::1", 1)]
    [InlineData("fe80::1%3", 7400)]
    [InlineData("2001:db8::7", 53)]
    public void An_end_point_survives_the_way_to_a_peer_address_and_back(string address, int port)
    {
        var endPoint = new IPEndPoint(IPAddress.Parse(address), port);
        PeerAddress peer = UdpPeer.From(endPoint);
        Assert.Equal(endPoint, UdpPeer.ToEndPoint(peer));
        Assert.Equal(endPoint.AddressFamily == AddressFamily.InterNetwork, UdpPeer.IsIPv4(peer));
    }

    [Fact]
    public void A_peer_is_the_same_whichever_family_of_socket_met_it()
    {
        if (!Socket.OSSupportsIPv6) Assert.Skip("This machine has no IPv6.");
        using UdpDriver both = UdpDriver.Bind(new IPEndPoint(IPAddress.IPv6Any, 0));
        using UdpDriver four = UdpDriver.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        using var frames = new TestFrames(1);
        frames.Fill(0, UdpPeer.From(new IPEndPoint(IPAddress.Loopback, both.LocalEndPoint.Port)), 1, 10);
        Assert.Equal(1, four.Send(frames.Tx));
        var rx = new RxFrame[1];
        Assert.Equal(1, Polling.WaitReadable([both.WaitDescriptor], 20_000_000_000));
        Assert.Equal(1, both.Receive(rx));
        Assert.Equal(UdpPeer.From(four.LocalEndPoint), rx[0].Peer);
        frames.Fill(0, rx[0].Peer, 2, 10);
        both.Release();
        Assert.Equal(1, both.Send(frames.Tx));
        Assert.Equal(1, Polling.WaitReadable([four.WaitDescriptor], 20_000_000_000));
        Assert.Equal(1, four.Receive(rx));
        Assert.Equal(2u, TestFrames.Verify(rx[0]));
    }

    [Fact]
    public void A_refused_port_loses_its_own_frames_and_no_others()
    {
        using var pair = new UdpPair(IPAddress.Loopback);
        PeerAddress closed;
        using (UdpDriver gone = UdpDriver.Bind(new IPEndPoint(IPAddress.Loopback, 0))) closed = UdpPeer.From(gone.LocalEndPoint);
        using var frames = new TestFrames(16);
        var rx = new RxFrame[16];
        for (int round = 0; round < 20; round++)
        {
            for (int i = 0; i < 16; i++) frames.Fill(i, i % 2 == 0 ? closed : pair.ServerAddress, (uint)i, 20);
            Assert.Equal(16, pair.Client.Send(frames.Tx));
            for (int got = 0; got < 8;)
            {
                if (Polling.WaitReadable([pair.Server.WaitDescriptor], 20_000_000_000) == 0) Assert.Fail($"Only {got} of 8 frames arrived in round {round}.");
                got += pair.Server.Receive(rx);
                pair.Server.Release();
            }

            Assert.Equal(0, pair.Client.Receive(rx)); // The news of the refusal is no frame, and no error.
        }
    }

    [Fact]
    public void A_peer_of_the_other_family_loses_its_own_frames_and_no_others()
    {
        using var pair = new UdpPair(IPAddress.Loopback);
        using var frames = new TestFrames(3);
        frames.Fill(0, pair.ServerAddress, 0, 20);
        frames.Fill(1, UdpPeer.From(new IPEndPoint(IPAddress.IPv6Loopback, 7400)), 1, 20);
        frames.Fill(2, pair.ServerAddress, 2, 20);
        Assert.Equal(3, pair.Client.Send(frames.Tx));
        var rx = new RxFrame[4];
        var seen = new List<uint>();
        while (seen.Count < 2)
        {
            if (Polling.WaitReadable([pair.Server.WaitDescriptor], 20_000_000_000) == 0) Assert.Fail($"Only {seen.Count} of 2 frames arrived.");
            int got = pair.Server.Receive(rx);
            for (int i = 0; i < got; i++) seen.Add(TestFrames.Verify(rx[i]));
            pair.Server.Release();
        }

        Assert.Equal([0u, 2u], seen);
    }

    [Theory]
    [InlineData(1500, false, 1344)]
    [InlineData(1500, true, 1324)]
    [InlineData(9000, false, 4096)]
    [InlineData(65536, true, 4096)]
    [InlineData(100, false, 256)]
    public void The_payload_fits_the_mtu(int mtu, bool ipv6, int payload) => Assert.Equal(payload, UdpPath.MaxPayloadForMtu(mtu, ipv6));

    [Fact]
    public void On_loopback_a_page_fits_one_frame()
    {
        using var pair = new UdpPair(IPAddress.Loopback);
        Assert.Equal((4096, 4096), (pair.Client.Traits.MaxPayload, pair.Server.Traits.MaxPayload));
    }

    [Fact]
    public void The_buffers_granted_are_told()
    {
        using UdpDriver driver = UdpDriver.Bind(new IPEndPoint(IPAddress.Loopback, 0), new UdpDriverOptions { ReceiveBufferBytes = 128 << 10, SendBufferBytes = 64 << 10 });
        Assert.InRange(driver.ReceiveBufferBytes, 128 << 10, 512 << 10);
        Assert.InRange(driver.SendBufferBytes, 64 << 10, 256 << 10);
    }

    [Fact]
    public void A_port_in_use_is_said_with_call_and_address()
    {
        using UdpDriver first = UdpDriver.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        ErrnoException taken = Assert.Throws<ErrnoException>(() => UdpDriver.Bind(first.LocalEndPoint));
        Assert.Equal(("bind", Errno.EADDRINUSE), (taken.Call, taken.Number));
        Assert.Contains(first.LocalEndPoint.ToString(), taken.Message);
    }
}
