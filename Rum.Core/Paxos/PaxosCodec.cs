using Rum.Core.Wire;

namespace Rum.Core.Paxos;

/// <summary>A message with its sender, as it travels; <paramref name="Address"/> is where the sender takes answers.</summary>
public sealed record PaxosEnvelope(Guid ClusterId, uint Generation, ulong From, ulong To, Life Life, string Address, PaxosMessage Message);

/// <summary>Messages and records as bytes. Readers believe nothing.</summary>
public static class PaxosCodec
{
    /// <summary>The first byte of a message: no request to the council begins with it.</summary>
    public const byte Mark = 0x50;

    /// <summary>No message is longer, given that no value or piece of state is longer than <see cref="ValueBytesMax"/>.</summary>
    public const int BytesMax = ValueBytesMax + 4096;

    /// <summary>The longest value of a decree.</summary>
    public const int ValueBytesMax = 192 << 10;

    private enum Kind : byte
    {
        Canvass = 1,
        CanvassAnswer = 2,
        Prepare = 3,
        Promise = 4,
        Propose = 5,
        Accepted = 6,
        Beat = 7,
        BeatAnswer = 8,
        Refuse = 9,
        Fetch = 10,
        Learn = 11,
        StatePiece = 12,
        Disown = 13,
        PromiseRecord = 33,
        AcceptRecord = 34,
        WitnessRecord = 35,
    }

    /// <summary>Writes an envelope and returns its length; -1 when it doesn't fit.</summary>
    public static int Encode(Span<byte> buffer, PaxosEnvelope envelope)
    {
        var to = new SpanWriter(buffer);
        to.U8(Mark);
        to.Guid(envelope.ClusterId);
        to.U32(envelope.Generation);
        to.U64(envelope.From);
        to.U64(envelope.To);
        WriteLife(ref to, envelope.Life);
        to.String(envelope.Address);
        Write(ref to, envelope.Message);
        return to.Overflowed ? -1 : to.Length;
    }

    /// <summary>Reads an envelope; null when the bytes are none.</summary>
    public static PaxosEnvelope? Decode(ReadOnlySpan<byte> bytes)
    {
        var from = new SpanReader(bytes);
        if (from.U8() != Mark) return null;
        Guid cluster = from.Guid();
        uint generation = from.U32();
        ulong sender = from.U64(), receiver = from.U64();
        Life life = ReadLife(ref from);
        string address = from.String();
        PaxosMessage? message = Read(ref from);
        return message is null || from.Failed || from.Remaining != 0 || sender == 0 ? null : new PaxosEnvelope(cluster, generation, sender, receiver, life, address, message);
    }

    /// <summary>Writes a record for the log.</summary>
    public static void Write(ref SpanWriter to, PaxosRecord record)
    {
        switch (record)
        {
            case PromiseRecord it:
                to.U8((byte)Kind.PromiseRecord);
                WriteBallot(ref to, it.Ballot);
                break;
            case AcceptRecord it:
                to.U8((byte)Kind.AcceptRecord);
                to.U64(it.Decree);
                WriteBallot(ref to, it.Ballot);
                WriteLong(ref to, it.Value);
                break;
            case WitnessRecord it:
                to.U8((byte)Kind.WitnessRecord);
                to.U64(it.Seat);
                to.U64(it.Witness.Start);
                to.U64(it.Witness.Nonce);
                WriteBallot(ref to, it.Witness.Promised);
                to.U64(it.Witness.Decree);
                break;
            default:
                throw new ArgumentException($"{record.GetType().Name} is no record of the log.", nameof(record));
        }
    }

    /// <summary>Reads a record; null when the bytes are none.</summary>
    public static PaxosRecord? ReadRecord(ref SpanReader from)
    {
        PaxosRecord? record = (Kind)from.U8() switch
        {
            Kind.PromiseRecord => new PromiseRecord(ReadBallot(ref from)),
            Kind.AcceptRecord => new AcceptRecord(from.U64(), ReadBallot(ref from), ReadLong(ref from)),
            Kind.WitnessRecord => new WitnessRecord(from.U64(), new Witness(from.U64(), from.U64(), ReadBallot(ref from), from.U64())),
            _ => null,
        };
        if (record is null) from.Fail();
        return from.Failed ? null : record;
    }

    private static void Write(ref SpanWriter to, PaxosMessage message)
    {
        switch (message)
        {
            case Canvass it:
                to.U8((byte)Kind.Canvass);
                to.U64(it.Attempt);
                to.U64(it.Chosen);
                break;
            case CanvassAnswer it:
                to.U8((byte)Kind.CanvassAnswer);
                to.U64(it.Attempt);
                to.Bool(it.Yes);
                to.U64(it.Chosen);
                break;
            case Prepare it:
                WriteLeader(ref to, Kind.Prepare, it);
                break;
            case Promise it:
                to.U8((byte)Kind.Promise);
                WriteBallot(ref to, it.Ballot);
                to.U64(it.Decree);
                WriteBallot(ref to, it.AcceptedIn);
                to.Bool(it.Accepted is not null);
                if (it.Accepted is not null) WriteLong(ref to, it.Accepted);
                break;
            case Propose it:
                WriteLeader(ref to, Kind.Propose, it);
                to.U64(it.Sequence);
                WriteLong(ref to, it.Value);
                break;
            case Accepted it:
                to.U8((byte)Kind.Accepted);
                WriteBallot(ref to, it.Ballot);
                to.U64(it.Decree);
                to.U64(it.Sequence);
                break;
            case Beat it:
                WriteLeader(ref to, Kind.Beat, it);
                to.U64(it.Sequence);
                break;
            case BeatAnswer it:
                to.U8((byte)Kind.BeatAnswer);
                WriteBallot(ref to, it.Ballot);
                to.U64(it.Sequence);
                to.U64(it.Chosen);
                break;
            case Refuse it:
                to.U8((byte)Kind.Refuse);
                WriteBallot(ref to, it.Ballot);
                WriteBallot(ref to, it.Promised);
                to.U64(it.Chosen);
                break;
            default:
                WriteLearning(ref to, message);
                break;
        }
    }

    private static void WriteLearning(ref SpanWriter to, PaxosMessage message)
    {
        switch (message)
        {
            case Fetch it:
                to.U8((byte)Kind.Fetch);
                to.U64(it.After);
                to.Bool(it.Blank);
                to.U64(it.State);
                to.I64(it.Offset);
                break;
            case Learn it:
                to.U8((byte)Kind.Learn);
                to.U64(it.First);
                to.U32((uint)it.Values.Count);
                foreach (byte[] value in it.Values) WriteLong(ref to, value);
                break;
            case StatePiece it:
                to.U8((byte)Kind.StatePiece);
                to.U64(it.Decree);
                to.I64(it.Total);
                to.I64(it.Offset);
                WriteLong(ref to, it.Bytes);
                break;
            case Disown it:
                to.U8((byte)Kind.Disown);
                WriteLife(ref to, it.Life);
                break;
            default:
                throw new ArgumentException($"{message.GetType().Name} has no encoding.", nameof(message));
        }
    }

    private static PaxosMessage? Read(ref SpanReader from) => (Kind)from.U8() switch
    {
        Kind.Canvass => new Canvass(from.U64(), from.U64()),
        Kind.CanvassAnswer => new CanvassAnswer(from.U64(), from.Bool(), from.U64()),
        Kind.Prepare => new Prepare(ReadBallot(ref from), from.U64(), ReadBallot(ref from), from.U64()),
        Kind.Promise => new Promise(ReadBallot(ref from), from.U64(), ReadBallot(ref from), from.Bool() ? ReadLong(ref from) : null),
        Kind.Propose => new Propose(ReadBallot(ref from), from.U64(), ReadBallot(ref from), from.U64(), from.U64(), ReadLong(ref from)),
        Kind.Accepted => new Accepted(ReadBallot(ref from), from.U64(), from.U64()),
        Kind.Beat => new Beat(ReadBallot(ref from), from.U64(), ReadBallot(ref from), from.U64(), from.U64()),
        Kind.BeatAnswer => new BeatAnswer(ReadBallot(ref from), from.U64(), from.U64()),
        Kind.Refuse => new Refuse(ReadBallot(ref from), ReadBallot(ref from), from.U64()),
        Kind.Fetch => new Fetch(from.U64(), from.Bool(), from.U64(), from.I64()),
        Kind.Learn => new Learn(from.U64(), ReadValues(ref from)),
        Kind.StatePiece => new StatePiece(from.U64(), from.I64(), from.I64(), ReadLong(ref from)),
        Kind.Disown => new Disown(ReadLife(ref from)),
        _ => null,
    };

    private static byte[][] ReadValues(ref SpanReader from)
    {
        byte[][] values = new byte[from.Count(4)][];
        for (int i = 0; i < values.Length; i++) values[i] = ReadLong(ref from);
        return values;
    }

    private static void WriteLeader(ref SpanWriter to, Kind kind, LeaderMessage message)
    {
        to.U8((byte)kind);
        WriteBallot(ref to, message.Ballot);
        to.U64(message.Chosen);
        WriteBallot(ref to, message.Proof);
        to.U64(message.Durable);
    }

    private static void WriteBallot(ref SpanWriter to, Ballot ballot)
    {
        to.U64(ballot.Round);
        to.U64(ballot.Seat);
    }

    private static Ballot ReadBallot(ref SpanReader from) => new(from.U64(), from.U64());

    private static void WriteLife(ref SpanWriter to, Life life)
    {
        to.U64(life.Start);
        to.U64(life.Nonce);
        WriteBallot(ref to, life.Promised);
        to.U64(life.Decree);
    }

    private static Life ReadLife(ref SpanReader from) => new(from.U64(), from.U64(), ReadBallot(ref from), from.U64());

    private static void WriteLong(ref SpanWriter to, byte[] bytes)
    {
        to.U32((uint)bytes.Length);
        to.Raw(bytes);
    }

    private static byte[] ReadLong(ref SpanReader from) => from.Raw(from.Count(1)).ToArray();
}
