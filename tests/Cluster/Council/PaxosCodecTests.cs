using Rum.Core.Paxos;
using Rum.Core.Wire;

namespace Rum.Cluster.Tests.Council;

public sealed class PaxosCodecTests
{
    private static readonly Life Some = new(3, 77, new Ballot(9, 2), 14);

    private static readonly PaxosMessage[] Messages =
    [
        new Canvass(1, 2), new CanvassAnswer(1, true, 3), new Prepare(new(1, 2), 3, new(4, 5), 6), new Promise(new(1, 2), 3, new(4, 5), [1, 2, 3]), new Promise(new(1, 2), 3, default, null),
        new Propose(new(1, 2), 3, new(4, 5), 6, 7, [8]), new Accepted(new(1, 2), 3, 4), new Beat(new(1, 2), 3, new(4, 5), 6, 7), new BeatAnswer(new(1, 2), 3, 4),
        new Refuse(new(1, 2), new(3, 4), 5), new Fetch(1, true, 2, 3), new Learn(1, [[1], [], [2, 3]]), new StatePiece(1, 2, 3, [4]), new Disown(Some),
    ];

    private static byte[] Encode(PaxosMessage message)
    {
        byte[] buffer = new byte[PaxosCodec.BytesMax];
        int length = PaxosCodec.Encode(buffer, new PaxosEnvelope(Guid.Empty, 4, 5, 6, Some, "127.0.0.1:7400", message));
        Assert.True(length > 0);
        return buffer[..length];
    }

    [Fact]
    public void EveryMessageComesBack()
    {
        foreach (PaxosMessage message in Messages)
        {
            byte[] bytes = Encode(message);
            PaxosEnvelope read = Assert.IsType<PaxosEnvelope>(PaxosCodec.Decode(bytes));
            Assert.Equal(message.GetType(), read.Message.GetType());
            Assert.Equal((4u, 5ul, 6ul, Some, "127.0.0.1:7400"), (read.Generation, read.From, read.To, read.Life, read.Address));
            Assert.Equal(bytes, Encode(read.Message));
        }
    }

    [Fact]
    public void HostileBytesAreRefused()
    {
        var random = new Random(1);
        foreach (PaxosMessage message in Messages)
        {
            byte[] bytes = Encode(message);
            for (int length = 0; length < bytes.Length; length++) Assert.Null(PaxosCodec.Decode(bytes.AsSpan(0, length)));
            for (int i = 0; i < 300; i++)
            {
                byte[] bent = [.. bytes];
                bent[random.Next(bent.Length)] = (byte)random.Next(256);
                // Whatever it says, it neither throws nor takes more memory than there are bytes.
                PaxosCodec.Decode(bent);
            }
        }
    }

    [Fact]
    public void EveryRecordComesBack()
    {
        foreach (PaxosRecord record in new PaxosRecord[] { new PromiseRecord(new(1, 2)), new AcceptRecord(3, new(4, 5), [6, 7]), new WitnessRecord(8, new Witness(9, 10, new(11, 12), 13)) })
        {
            byte[] buffer = new byte[256];
            var to = new SpanWriter(buffer);
            PaxosCodec.Write(ref to, record);
            var from = new SpanReader(buffer.AsSpan(0, to.Length));
            Assert.Equivalent(record, PaxosCodec.ReadRecord(ref from));
            Assert.Equal(0, from.Remaining);
        }
    }
}
