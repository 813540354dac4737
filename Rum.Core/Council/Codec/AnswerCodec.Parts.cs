using Rum.Core.Wire;

namespace Rum.Core.Council.Codec;

// The parts that answers are made of.
public static partial class AnswerCodec
{
    internal const int DropBytes = (5 * 8) + 1;
    private const int InfoBytes = 8 + 16 + 8 + 2 + 1 + 8 + 8 + 4 + 8 + 2;
    private const int SessionBytesMin = 8 + 2 + 2 + 4 + 8 + 4;
    private const int PlaceBytes = 2 + 8 + 8;
    private const int StatusBytesMin = 8 + 8 + 4 + 4 + 8;

    internal static void WriteDrop(ref SpanWriter to, Drop drop)
    {
        to.U64(drop.Sequence);
        to.U64(drop.Segment.Value);
        to.I64(drop.FirstPage);
        to.I64(drop.PageCount);
        to.Bool(drop.Freed);
        to.I64(drop.Bytes);
    }

    internal static Drop ReadDrop(ref SpanReader from)
    {
        var drop = new Drop(from.U64(), new SegmentId(from.U64()), from.I64(), from.I64(), from.Bool(), from.I64());
        if (drop.FirstPage < 0 || drop.PageCount < 0 || drop.Bytes < 0 || drop.FirstPage > long.MaxValue - drop.PageCount) from.Fail();
        return drop;
    }

    private static void WriteStatus(ref SpanWriter to, ClusterStatus status)
    {
        to.Guid(status.ClusterId);
        to.U32(status.Generation);
        to.U64(status.Decree);
        to.U32((uint)status.RingShards);
        to.U32((uint)status.Served);
        to.U32((uint)status.Unassigned);
        to.U32((uint)status.Lost);
        to.U32((uint)status.Sessions);
        to.U32((uint)status.Segments);
        to.U8((byte)status.Copies);
        to.U32((uint)status.Learning);
        to.U32((uint)status.Incomplete);
        WriteSnapshot(ref to, status.Snapshot);
        WriteSnapshot(ref to, status.LastSnapshot);
        to.U32((uint)status.Members.Count);
        foreach (MemberStatus member in status.Members)
        {
            ViewCodec.WriteMember(ref to, member.Member);
            to.I64(member.Charged);
            to.I64(member.ToDrop);
            to.U32((uint)member.Shards);
            to.U32((uint)member.ShardsInUse);
            to.I64(member.SilentMs);
            to.U32((uint)member.Learning);
            to.U32((uint)member.Alone);
        }
        to.U8((byte)Math.Min(byte.MaxValue, status.Council.Count));
        foreach (SeatStatus seat in status.Council.Take(byte.MaxValue))
        {
            to.U64(seat.Seat.Seat);
            to.U16(seat.Seat.Silo.Value);
            to.String(seat.Seat.Endpoint);
            to.Bool(seat.Seat.Seated);
            to.Bool(seat.Leads);
            to.I64(seat.SilentMs);
            to.U64(seat.Decree);
        }
    }

    private static ClusterStatus? ReadStatus(ref SpanReader from)
    {
        Guid id = from.Guid();
        uint generation = from.U32();
        ulong decree = from.U64();
        int ringShards = (int)from.U32(), served = (int)from.U32(), unassigned = (int)from.U32(), lost = (int)from.U32();
        int sessions = (int)from.U32(), segments = (int)from.U32();
        int copies = from.U8(), learning = (int)from.U32(), incomplete = (int)from.U32();
        SnapshotInfo? snapshot = ReadSnapshot(ref from), last = ReadSnapshot(ref from);
        var members = new MemberStatus[from.Count(StatusBytesMin)];
        for (int i = 0; i < members.Length; i++)
        {
            if (ViewCodec.ReadMember(ref from) is not { } member) return null;
            members[i] = new MemberStatus(member, from.I64(), from.I64(), (int)from.U32(), (int)from.U32())
            {
                SilentMs = from.I64(),
                Learning = (int)from.U32(),
                Alone = (int)from.U32(),
            };
        }
        var council = new SeatStatus[from.U8()];
        for (int i = 0; i < council.Length; i++)
        {
            council[i] = new SeatStatus(
                new CouncilSeat(from.U64(), new SiloId(from.U16()), from.String(), from.Bool()), from.Bool(), from.I64(), from.U64());
        }
        return new ClusterStatus(id, generation, decree, ringShards, served, unassigned, lost, sessions, segments, members)
        {
            Council = council,
            Copies = copies,
            Learning = learning,
            Incomplete = incomplete,
            Snapshot = snapshot,
            LastSnapshot = last,
        };
    }

    private static void WriteSnapshot(ref SpanWriter to, SnapshotInfo? info)
    {
        to.Bool(info is not null);
        if (info is not null) SnapshotCodec.WriteInfo(ref to, info);
    }

    private static SnapshotInfo? ReadSnapshot(ref SpanReader from) => from.Bool() ? SnapshotCodec.ReadInfo(ref from) : null;

    private static void WriteInfo(ref SpanWriter to, SegmentInfo info)
    {
        to.U64(info.Id.Value);
        to.U128(info.Key);
        to.I64(info.Size);
        to.U16((ushort)info.Flags);
        to.U8(info.Copies);
        to.U64(info.Owner.Value);
        to.U64(info.Writer.Value);
        to.U32((uint)info.Readers);
        to.I64(info.Charged);
        to.U16(info.FirstShard.Value);
    }

    private static SegmentInfo ReadInfo(ref SpanReader from) => new(
        new SegmentId(from.U64()), from.U128(), from.I64(), (SegmentFlags)from.U16(), from.U8(), new SessionId(from.U64()), new SessionId(from.U64()),
        (int)from.U32(), from.I64())
    { FirstShard = new ShardId(from.U16()) };

    private static void WriteDetails(ref SpanWriter to, SegmentDetails details)
    {
        WriteInfo(ref to, details.Info);
        to.U64(details.Token);
        to.U16(details.FirstShard.Value);
        to.U32((uint)details.Places.Count);
        foreach (SegmentPlace place in details.Places)
        {
            to.U16(place.Silo.Value);
            to.I64(place.Extents);
            to.I64(place.Bytes);
        }
    }

    private static SegmentDetails ReadDetails(ref SpanReader from)
    {
        SegmentInfo info = ReadInfo(ref from);
        ulong token = from.U64();
        var first = new ShardId(from.U16());
        var places = new SegmentPlace[from.Count(PlaceBytes)];
        for (int i = 0; i < places.Length; i++) places[i] = new SegmentPlace(new SiloId(from.U16()), from.I64(), from.I64());
        return new SegmentDetails(info, token, first, places);
    }

    private static void WriteSession(ref SpanWriter to, SessionInfo info)
    {
        to.U64(info.Id.Value);
        to.String(info.Tenant);
        to.String(info.ClientName);
        to.U32((uint)info.LeaseMs);
        to.I64(info.Anonymous);
        to.U32((uint)info.Segments);
    }

    private static SessionInfo ReadSession(ref SpanReader from) =>
        new(new SessionId(from.U64()), from.String(), from.String(), (int)from.U32(), from.I64(), (int)from.U32());
}
