using System.Diagnostics;
using Rum.Core;
using Rum.Core.Council;
using Rum.FastPath.Drivers;
using Rum.FastPath.Drivers.Dpdk;
using Rum.FastPath.Frames;
using Rum.FastPath.Server;

namespace Rum.Transport.Tests.Dpdk;

/// <summary>A page server behind a DPDK port, and frames of RUM's own form made by hand: each bad one is counted and dropped, and good ones are answered afterwards.</summary>
[Collection("dpdk")]
public sealed unsafe class DpdkHostileTests
{
    private const int Fragments = 4, FragmentBytes = 1344;
    private const long AgeNs = 50_000_000;

    private delegate void Change(FrameHeader* header);

    [Theory]
    [InlineData("vhost")]
    [InlineData("packet")]
    [InlineData("packet-1500")]
    public void Fragments_that_overlap_mix_or_never_complete_are_counted_and_dropped(string way)
    {
        using DpdkPair pair = way == "vhost" ? DpdkPair.Vhost() : DpdkPair.Kernel(DpdkPair.PacketSocket, way == "packet" ? 9000 : 1500);
        var incarnation = new Incarnation(0x1000);
        using var server = new PageServer(
            incarnation, new PagePool(new PagePoolOptions { CapacityBytes = 16 << 20, SegmentsMax = 16, ExtentsMax = 64 }), [pair.ServerDriver],
            options: new PageServerOptions { AssemblyAgeNsMax = AgeNs });
        var member = new Member(new SiloId(1), "silo", incarnation, "", "", "", "", "", "", 1 << 30, true);
        var view = new ClusterView(Guid.Empty, 3, 1, [member], [new ShardView(1, ShardState.Served, [new Replica(member.Id, incarnation, ReplicaState.InSync)])], 1);
        _ = server.SetViewAsync(view);
        server.Poll(Now());
        long free = server.PoolStatistics.FramesFree;
        uint counter = 0;

        Assert.Equal(PageStatus.Ok, Ask(FrameType.Fence, 1));
        Assert.Equal(PageStatus.Ok, Ask(FrameType.Write, Fragments));

        // Over what came before, with a hole before it, beyond the page, more than there are.
        Ask(FrameType.Write, Fragments, header => header->FragmentOffset -= header->FragmentIndex == 2 ? 100u : 0, answered: false);
        Ask(FrameType.Write, Fragments, header => header->FragmentOffset += header->FragmentIndex == 1 ? 64u : 0, answered: false);
        Ask(FrameType.Write, Fragments, header => header->FragmentOffset += header->FragmentIndex == 3 ? 4096u : 0, answered: false);
        Ask(FrameType.Write, Fragments, header => header->FragmentIndex += (byte)(header->FragmentIndex == 3 ? 4 : 0), answered: false);
        Assert.Equal(4, server.Counters.Faults[(int)FrameFault.Fragment]);

        // Two versions, two pages, two ways to cut one up.
        Ask(FrameType.Write, Fragments, header => header->Sequence += header->FragmentIndex / 2u, answered: false);
        Ask(FrameType.Write, Fragments, header => header->Page += header->FragmentIndex / 2u, answered: false);
        Ask(FrameType.Write, Fragments, header =>
        {
            if (header->FragmentIndex == 1) FrameCodec.SetFragment(header, Layout.PageSize, FragmentBytes - 64, 1);
        }, answered: false);

        // Never complete: each by another session, so that none pushes the other out.
        for (ulong session = 100; session < 110; session++)
            Ask(FrameType.Write, Fragments, header => (header->Session, header->Magic) = (session, header->FragmentIndex == 3 ? (ushort)0 : FrameHeader.MagicValue), answered: false);
        Assert.Equal(10, server.Counters.Faults[(int)FrameFault.Magic]);
        Assert.Equal(1, server.Counters.PagesWritten);
        Assert.True(server.PoolStatistics.FramesFree <= free - 11, $"half-received pages hold no frames: {server.PoolStatistics.FramesFree} of {free} are free");

        // None stays, and what is good is taken as before.
        Until(() => server.PoolStatistics.FramesFree == free - 1, "frames of half-received pages are given back");
        Assert.True(server.Counters.AssembliesDropped >= 10, $"{server.Counters.AssembliesDropped} half-received pages were counted");
        Assert.Equal(PageStatus.Ok, Ask(FrameType.Write, Fragments));
        Assert.Equal(PageStatus.Ok, Ask(FrameType.Read, 1));
        Assert.Equal(2, server.Counters.PagesWritten);

        PageStatus? Ask(FrameType type, int fragments, Change? change = null, bool answered = true)
        {
            byte* page = stackalloc byte[Layout.PageSize];
            new Span<byte>(page, Layout.PageSize).Fill(7);
            FrameHeader header;
            counter++;
            long before = Seen();
            for (int i = 0; i < fragments; i++)
            {
                FrameCodec.Start(&header, type);
                header.Generation = view.FrameGeneration;
                header.Epoch = 1;
                header.Incarnation = incarnation.Value;
                header.Session = 1;
                header.Counter = counter;
                header.Segment = 1;
                header.Token = 5;
                header.Sequence = type is FrameType.Read or FrameType.Fence ? 0 : 10 * counter;
                if (type == FrameType.Write) FrameCodec.SetFragment(&header, Layout.PageSize, FragmentBytes, i);
                change?.Invoke(&header);
                FrameCodec.Seal(&header, page, pair.Client.Traits.Checksummed);
                var frame = new TxFrame { Peer = pair.ServerAddress, Header = (byte*)&header, Payload = page, PayloadLength = header.Length };
                Assert.Equal(1, pair.Client.Send(new ReadOnlySpan<TxFrame>(ref frame)));
            }
            if (!answered)
            {
                Until(() => Seen() >= before + fragments, "the frames arrive");
                return null;
            }
            PageStatus? status = null;
            var rx = new RxFrame[4];
            Until(() =>
            {
                int got = pair.Client.Receive(rx);
                for (int i = 0; i < got; i++)
                {
                    var answer = (FrameHeader*)rx[i].Header;
                    if (answer->Counter == counter) status = (PageStatus)answer->Status;
                }
                pair.Client.Release();
                return status is not null;
            }, $"{type} is answered");
            return status;
        }

        long Seen() => pair.Server.Counters.FramesReceived;

        void Until(Func<bool> condition, string what)
        {
            long start = Stopwatch.GetTimestamp();
            while (!condition())
            {
                server.Poll(Now());
                if (Stopwatch.GetElapsedTime(start) > TimeSpan.FromSeconds(30)) Assert.Fail($"It didn't come about within 30 s that {what}.");
            }
        }

        static long Now() => FastPath.Linux.MonotonicClock.NowNs;
    }
}
