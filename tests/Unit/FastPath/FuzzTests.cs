using Rum.Core;
using Rum.FastPath.Client;
using Rum.FastPath.Drivers.Simulated;
using Rum.FastPath.Frames;
using Rum.FastPath.Server;

namespace Rum.Unit.FastPath;

/// <summary>Frames that no honest peer sends: nothing crashes, what is wrong in form is counted, and the honest go on being served.</summary>
public sealed unsafe class FuzzTests
{
    private sealed class Swallow : IControlSink
    {
        public bool TryAccept(ControlRequest request) => request.Slot % 2 == 0;
    }

    private static readonly FrameType[] Types =
    [
        FrameType.None, FrameType.Read, FrameType.Write, FrameType.Trim, FrameType.Fence, FrameType.Hello, FrameType.Control, FrameType.Answer,
        FrameType.ReadAnswer, FrameType.WriteAnswer, FrameType.TrimAnswer, FrameType.FenceAnswer, FrameType.HelloAnswer, FrameType.ControlAnswer,
    ];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Random_and_mutated_frames_do_no_harm(bool againstClient)
    {
        var random = new Random(againstClient ? 5 : 6);
        using var cluster = new Cluster(network: new SimulatedNetworkOptions { MaxPayload = 1344 }, sink: new Swallow());
        SegmentHandle mine = Cluster.Handle(5, 9);
        Assert.Equal(PageStatus.Ok, cluster.Write(mine, 0, 0x5A));
        SimulatedDriver attacker = cluster.Network.CreateEndpoint();
        int victim = againstClient ? cluster.ClientDriver.Number : cluster.Drivers[0].Number;
        var frame = new byte[FrameHeader.Size + 1344];
        for (int round = 0; round < 20_000; round++)
        {
            int length = Make(random, frame, cluster.Server.Incarnation.Value);
            cluster.Network.Inject(attacker.Number, victim, frame.AsSpan(0, length));
            if (round % 16 == 0)
            {
                cluster.Client.TryRead(mine, random.Next(100), 1 + random.Next(8), 3);
                cluster.Step();
            }
        }
        cluster.Until(() => cluster.Client.Outstanding == 0, "the honest client's reads end");
        long dropped = 0;
        foreach (long count in againstClient ? cluster.Client.Counters.Faults : cluster.Server.Counters.Faults) dropped += count;
        Assert.True(dropped > 1000, $"only {dropped} frames counted as wrong");
        if (againstClient) Assert.True(cluster.Client.Counters.LateAnswers > 10);
        Assert.Equal((PageStatus.Ok, 0x5A), cluster.Read(mine, 0));
    }

    /// <summary>Garbage, or a header that is nearly right with fields at random, sealed so that the checksum doesn't save the receiver.</summary>
    private static int Make(Random random, byte[] frame, ulong incarnation)
    {
        int length = random.Next(4) == 0 ? random.Next(frame.Length) : FrameHeader.Size + (random.Next(2) * random.Next(1345));
        random.NextBytes(frame);
        if (random.Next(4) == 0 || length < FrameHeader.Size) return length;
        fixed (byte* start = frame)
        {
            var header = (FrameHeader*)start;
            FrameCodec.Start(header, Types[random.Next(Types.Length)]);
            header->Length = (ushort)(length - FrameHeader.Size);
            header->MessageLength = header->Length;
            header->Incarnation = incarnation;
            header->Generation = Cluster.FrameGeneration;
            header->Epoch = 1;
            header->Session = random.Next(2) == 0 ? 77 : (ulong)random.Next(3);
            header->Slot = (uint)random.Next(600);
            header->Counter = (uint)random.Next(3);
            header->Segment = (ulong)random.Next(20) + 6;
            header->Page = (ulong)random.Next(20_000);
            header->Count = (ushort)random.Next(100);
            header->Token = (ulong)random.Next(3);
            header->Sequence = (ulong)random.Next(5);
            header->Shard = (ushort)random.Next(20);
            header->Status = (ushort)(random.Next(4) == 0 ? random.Next() : 0);
            header->Encoding = (PayloadEncoding)random.Next(3);
            if (random.Next(2) == 0 && length > FrameHeader.Size)
            {
                header->FragmentCount = (byte)random.Next(1, 6);
                header->FragmentIndex = (byte)random.Next(6);
                header->FragmentOffset = (uint)(header->FragmentIndex * header->Length);
                header->MessageLength = random.Next(2) == 0 ? 4096u : (uint)random.Next(8000);
            }
            for (int i = random.Next(3); i > 0; i--) start[random.Next(112)] ^= (byte)random.Next(256);
            FrameCodec.Seal(header, start + FrameHeader.Size, checksummed: false);
            header->Crc = FrameCodec.Checksum(start, start + FrameHeader.Size, length - FrameHeader.Size);
        }
        return length;
    }
}
