using Rum.Core.Wire;

namespace Rum.Core.Council.Codec;

/// <summary>
/// Commands as bytes: a kind, then the fields in the order of the record. The same form on the wire and in the log, so a kind's number and
/// fields never change; a new field makes a new kind. Readers believe nothing: what is wrong makes <see cref="SpanReader.Failed"/>.
/// </summary>
public static class CommandCodec
{
    private enum Kind : byte
    {
        Join = 1,
        Leave = 2,
        Dropped = 3,
        OpenSession = 4,
        CloseSession = 5,
        Expire = 6,
        Allocate = 7,
        Open = 8,
        Close = 9,
        Resize = 10,
        ChargeExtents = 11,
        Free = 12,
        Suspect = 13,
        Resume = 14,
        Drain = 15,
        CaughtUp = 16,
        Configure = 17,
        OfferSeat = 40,
        ChangeCouncil = 41,
        LimitCouncil = 42,
        BeginSnapshot = 60,
        CutSnapshot = 61,
        SavedSnapshot = 62,
        FailSnapshot = 63,
        DeleteSnapshot = 64,
        BeginRestore = 65,
    }

    /// <summary>Writes a command.</summary>
    public static void Write(ref SpanWriter to, Command command)
    {
        switch (command)
        {
            case Join it:
                to.U8((byte)Kind.Join);
                ViewCodec.WriteMember(ref to, it.Silo);
                break;
            case Leave it:
                to.U8((byte)Kind.Leave);
                to.U16(it.Silo.Value);
                to.U64(it.Incarnation.Value);
                break;
            case Dropped it:
                to.U8((byte)Kind.Dropped);
                to.U16(it.Silo.Value);
                to.U64(it.Incarnation.Value);
                to.U64(it.UpTo);
                break;
            case Suspect it:
                to.U8((byte)Kind.Suspect);
                to.U16(it.Silo.Value);
                to.U64(it.Incarnation.Value);
                break;
            case Resume it:
                to.U8((byte)Kind.Resume);
                to.U16(it.Silo.Value);
                to.U64(it.Incarnation.Value);
                break;
            case Drain it:
                to.U8((byte)Kind.Drain);
                to.U16(it.Silo.Value);
                to.Bool(it.On);
                break;
            case CaughtUp it:
                to.U8((byte)Kind.CaughtUp);
                to.U16(it.Silo.Value);
                to.U64(it.Incarnation.Value);
                to.U16(it.Shard.Value);
                to.U32(it.Epoch);
                break;
            case Configure it:
                to.U8((byte)Kind.Configure);
                to.U8(it.Copies);
                break;
            case OpenSession it:
                to.U8((byte)Kind.OpenSession);
                to.U128(it.Nonce);
                to.String(it.Tenant);
                to.String(it.ClientName);
                to.U32((uint)it.LeaseMs);
                break;
            case CloseSession it:
                to.U8((byte)Kind.CloseSession);
                to.U64(it.Session.Value);
                break;
            case Expire it:
                to.U8((byte)Kind.Expire);
                to.U64(it.Session.Value);
                to.U64(it.RenewalCounter);
                break;
            case OfferSeat it:
                to.U8((byte)Kind.OfferSeat);
                to.U16(it.Silo.Value);
                to.U64(it.Incarnation.Value);
                to.U64(it.Seat);
                break;
            case ChangeCouncil it:
                to.U8((byte)Kind.ChangeCouncil);
                to.U64(it.Since);
                to.U32((uint)it.Seats.Count);
                foreach (ulong seat in it.Seats) to.U64(seat);
                break;
            case LimitCouncil it:
                to.U8((byte)Kind.LimitCouncil);
                to.U8((byte)it.Seats);
                break;
            case SnapshotCommand it:
                WriteSnapshotCommand(ref to, it);
                break;
            default:
                WriteSegmentCommand(ref to, command);
                break;
        }
    }

    private static void WriteSegmentCommand(ref SpanWriter to, Command command)
    {
        switch (command)
        {
            case Allocate it:
                to.U8((byte)Kind.Allocate);
                to.U64(it.Session.Value);
                to.U128(it.Key);
                to.I64(it.Size);
                to.U8(it.Copies);
                to.U16((ushort)it.Flags);
                WriteSilos(ref to, it.Silos);
                break;
            case Open it:
                to.U8((byte)Kind.Open);
                to.U64(it.Session.Value);
                to.U128(it.Key);
                to.U8((byte)it.Mode);
                break;
            case Close it:
                to.U8((byte)Kind.Close);
                to.U64(it.Session.Value);
                to.U64(it.Segment.Value);
                break;
            case Resize it:
                to.U8((byte)Kind.Resize);
                to.U64(it.Session.Value);
                to.U64(it.Segment.Value);
                to.I64(it.Size);
                break;
            case ChargeExtents it:
                to.U8((byte)Kind.ChargeExtents);
                to.U64(it.Session.Value);
                to.U64(it.Segment.Value);
                to.I64(it.FirstExtent);
                to.U32((uint)it.Count);
                to.Bool(it.Charged);
                break;
            case Free it:
                to.U8((byte)Kind.Free);
                to.U64(it.Session.Value);
                to.U64(it.Segment.Value);
                to.U128(it.Key);
                break;
            default:
                throw new ArgumentException($"{command.GetType().Name} has no encoding.", nameof(command));
        }
    }

    private static void WriteSnapshotCommand(ref SpanWriter to, SnapshotCommand command)
    {
        switch (command)
        {
            case BeginSnapshot it:
                to.U8((byte)Kind.BeginSnapshot);
                to.String(it.Name);
                to.I64(it.TimeMs);
                break;
            case CutSnapshot it:
                to.U8((byte)Kind.CutSnapshot);
                to.U64(it.Snapshot);
                to.U64(it.Cut);
                to.U64(it.AsOf);
                to.U64(it.ViewDecree);
                to.U32(it.HeldUs);
                break;
            case SavedSnapshot it:
                to.U8((byte)Kind.SavedSnapshot);
                to.U64(it.Snapshot);
                to.U16(it.Silo.Value);
                to.U64(it.Incarnation.Value);
                to.I64(it.Pages);
                to.I64(it.Bytes);
                break;
            case FailSnapshot it:
                to.U8((byte)Kind.FailSnapshot);
                to.U64(it.Snapshot);
                to.String(it.Reason);
                break;
            case DeleteSnapshot it:
                to.U8((byte)Kind.DeleteSnapshot);
                to.U64(it.Snapshot);
                break;
            case BeginRestore it:
                to.U8((byte)Kind.BeginRestore);
                to.Bool(it.GiveUp);
                to.U32(it.Before);
                break;
        }
    }

    /// <summary>Reads a command; null when the bytes are none.</summary>
    public static Command? Read(ref SpanReader from)
    {
        Command? command = (Kind)from.U8() switch
        {
            Kind.Join => ViewCodec.ReadMember(ref from) is { } member ? new Join(member) : null,
            Kind.Leave => new Leave(new SiloId(from.U16()), new Incarnation(from.U64())),
            Kind.Dropped => new Dropped(new SiloId(from.U16()), new Incarnation(from.U64()), from.U64()),
            Kind.Suspect => new Suspect(new SiloId(from.U16()), new Incarnation(from.U64())),
            Kind.Resume => new Resume(new SiloId(from.U16()), new Incarnation(from.U64())),
            Kind.Drain => new Drain(new SiloId(from.U16()), from.Bool()),
            Kind.CaughtUp => new CaughtUp(new SiloId(from.U16()), new Incarnation(from.U64()), new ShardId(from.U16()), from.U32()),
            Kind.Configure => new Configure(from.U8()),
            Kind.OpenSession => new OpenSession(from.U128(), from.String(), from.String(), (int)from.U32()),
            Kind.CloseSession => new CloseSession(new SessionId(from.U64())),
            Kind.Expire => new Expire(new SessionId(from.U64()), from.U64()),
            Kind.Allocate => new Allocate(
                new SessionId(from.U64()), from.U128(), from.I64(), from.U8(), (SegmentFlags)from.U16(), ReadSilos(ref from)),
            Kind.Open => new Open(new SessionId(from.U64()), from.U128(), (OpenMode)from.UpTo((byte)OpenMode.WriteElseRead)),
            Kind.Close => new Close(new SessionId(from.U64()), new SegmentId(from.U64())),
            Kind.Resize => new Resize(new SessionId(from.U64()), new SegmentId(from.U64()), from.I64()),
            Kind.ChargeExtents => new ChargeExtents(
                new SessionId(from.U64()), new SegmentId(from.U64()), from.I64(), (int)from.U32(), from.Bool()),
            Kind.Free => new Free(new SessionId(from.U64()), new SegmentId(from.U64()), from.U128()),
            Kind.OfferSeat => new OfferSeat(new SiloId(from.U16()), new Incarnation(from.U64()), from.U64()),
            Kind.ChangeCouncil => new ChangeCouncil(from.U64(), ReadSeats(ref from)),
            Kind.LimitCouncil => new LimitCouncil(from.U8()),
            Kind.BeginSnapshot => new BeginSnapshot(from.String(), from.I64()),
            Kind.CutSnapshot => new CutSnapshot(from.U64(), from.U64(), from.U64(), from.U64(), from.U32()),
            Kind.SavedSnapshot => new SavedSnapshot(from.U64(), new SiloId(from.U16()), new Incarnation(from.U64()), from.I64(), from.I64()),
            Kind.FailSnapshot => new FailSnapshot(from.U64(), from.String()),
            Kind.DeleteSnapshot => new DeleteSnapshot(from.U64()),
            Kind.BeginRestore => new BeginRestore(from.Bool(), from.U32()),
            _ => null,
        };
        if (command is null) from.Fail();
        return from.Failed ? null : command;
    }

    private static ulong[] ReadSeats(ref SpanReader from)
    {
        ulong[] seats = new ulong[from.Count(8)];
        for (int i = 0; i < seats.Length; i++) seats[i] = from.U64();
        return seats;
    }

    /// <summary>Writes what the log keeps of a command.</summary>
    public static void Write(ref SpanWriter to, Proposal proposal)
    {
        WriteId(ref to, proposal.Request);
        Write(ref to, proposal.Command);
    }

    /// <summary>Reads what the log keeps of a command; null when the bytes are none.</summary>
    public static Proposal? ReadProposal(ref SpanReader from)
    {
        RequestId id = ReadId(ref from);
        return Read(ref from) is { } command ? new Proposal(id, command) : null;
    }

    internal static void WriteSilos(ref SpanWriter to, SiloSet silos)
    {
        to.U8((byte)silos.Count);
        for (int i = 0; i < silos.Count; i++) to.U16(silos[i].Value);
    }

    internal static SiloSet ReadSilos(ref SpanReader from)
    {
        int count = from.UpTo(SiloSet.Max);
        Span<SiloId> silos = stackalloc SiloId[SiloSet.Max];
        for (int i = 0; i < count; i++) silos[i] = new SiloId(from.U16());
        SiloSet set = SiloSet.Of(silos[..count]);
        if (set.Count != count || !set.IsSound) from.Fail();
        return set;
    }

    internal static void WriteId(ref SpanWriter to, RequestId id)
    {
        to.U64(id.Session.Value);
        to.U32(id.Slot);
        to.U32(id.Counter);
    }

    internal static RequestId ReadId(ref SpanReader from) => new(new SessionId(from.U64()), from.U32(), from.U32());
}
