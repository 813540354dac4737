using System.Diagnostics.CodeAnalysis;
using Rum.Core.Wire;

namespace Rum.Core.Council.Codec;

/// <summary>Requests as the payload of a control message. One message is one request and nothing behind it.</summary>
public static class RequestCodec
{
    /// <summary>No request is longer.</summary>
    public const int BytesMax = 4096;

    private enum Kind : byte
    {
        Command = 1,
        GetView = 2,
        GetDrops = 3,
        Heartbeat = 4,
        SiloHeartbeat = 5,
        Describe = 6,
        ListSegments = 7,
        ShowSegment = 8,
        ListSessions = 9,
        Audit = 10,
        CarriedCommand = 11,
        RenewLeases = 12,
        JudgeLeases = 13,
        AuditExtents = 14,
        DoubtSilo = 15,
        ListSnapshots = 20,
        GetSnapshotDuty = 21,
    }

    /// <summary>Writes a request and returns its length; -1 when it doesn't fit.</summary>
    public static int Encode(Span<byte> buffer, CouncilRequest request)
    {
        var to = new SpanWriter(buffer);
        switch (request)
        {
            case CommandRequest it:
                to.U8((byte)(it.Carried ? Kind.CarriedCommand : Kind.Command));
                CommandCodec.WriteId(ref to, it.Id);
                CommandCodec.Write(ref to, it.Command);
                break;
            case GetView it:
                to.U8((byte)Kind.GetView);
                to.U64(it.IfNewerThan);
                to.U64(it.Session.Value);
                break;
            case GetDrops it:
                to.U8((byte)Kind.GetDrops);
                to.U16(it.Silo.Value);
                to.U64(it.Incarnation.Value);
                to.U64(it.After);
                break;
            case Heartbeat it:
                to.U8((byte)Kind.Heartbeat);
                to.U64(it.Session.Value);
                break;
            case SiloHeartbeat it:
                to.U8((byte)Kind.SiloHeartbeat);
                to.U16(it.Silo.Value);
                to.U64(it.Incarnation.Value);
                to.U64(it.ViewDecree);
                break;
            case DoubtSilo it:
                to.U8((byte)Kind.DoubtSilo);
                to.U16(it.Silo.Value);
                to.U64(it.Incarnation.Value);
                break;
            case Describe:
                to.U8((byte)Kind.Describe);
                break;
            case ListSegments it:
                to.U8((byte)Kind.ListSegments);
                to.U64(it.After.Value);
                to.U32((uint)it.Max);
                break;
            case ShowSegment it:
                to.U8((byte)Kind.ShowSegment);
                to.U128(it.Key);
                to.U64(it.Segment.Value);
                break;
            case ListSessions it:
                to.U8((byte)Kind.ListSessions);
                to.U64(it.After.Value);
                to.U32((uint)it.Max);
                break;
            case Audit it:
                to.U8((byte)Kind.Audit);
                to.U32((uint)it.Segments.Count);
                foreach (SegmentId segment in it.Segments) to.U64(segment.Value);
                break;
            case AuditExtents it:
                to.U8((byte)Kind.AuditExtents);
                to.U32((uint)it.Extents.Count);
                foreach (ExtentId extent in it.Extents)
                {
                    to.U64(extent.Segment.Value);
                    to.U32(extent.Extent);
                }
                break;
            case ListSnapshots:
                to.U8((byte)Kind.ListSnapshots);
                break;
            case GetSnapshotDuty it:
                to.U8((byte)Kind.GetSnapshotDuty);
                to.U64(it.Snapshot);
                to.U16(it.Silo.Value);
                to.U64(it.After.Value);
                break;
            case RenewLeases it:
                to.U8((byte)Kind.RenewLeases);
                to.U32((uint)it.Sessions.Count);
                foreach (SessionId session in it.Sessions) to.U64(session.Value);
                break;
            case JudgeLeases it:
                to.U8((byte)Kind.JudgeLeases);
                to.U32((uint)it.Marks.Count);
                foreach (LeaseMark mark in it.Marks)
                {
                    to.U64(mark.Session.Value);
                    to.U64(mark.Counter);
                }
                break;
            default:
                throw new ArgumentException($"{request.GetType().Name} has no encoding.", nameof(request));
        }
        return to.Overflowed ? -1 : to.Length;
    }

    /// <summary>Reads a request from hostile bytes. <see cref="Expire"/> and <see cref="ChangeCouncil"/> are refused: the leader proposes them by what it alone knows.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out CouncilRequest? request)
    {
        var from = new SpanReader(bytes);
        var kind = (Kind)from.U8();
        switch (kind)
        {
            case Kind.Command:
            case Kind.CarriedCommand:
                RequestId id = CommandCodec.ReadId(ref from);
                request = CommandCodec.Read(ref from) is { } command and not (Expire or ChangeCouncil)
                    ? new CommandRequest(id, command) { Carried = kind == Kind.CarriedCommand }
                    : null;
                break;
            case Kind.GetView:
                request = new GetView(from.U64(), new SessionId(from.U64()));
                break;
            case Kind.GetDrops:
                request = new GetDrops(new SiloId(from.U16()), new Incarnation(from.U64()), from.U64());
                break;
            case Kind.Heartbeat:
                request = new Heartbeat(new SessionId(from.U64()));
                break;
            case Kind.SiloHeartbeat:
                request = new SiloHeartbeat(new SiloId(from.U16()), new Incarnation(from.U64()), from.U64());
                break;
            case Kind.DoubtSilo:
                request = new DoubtSilo(new SiloId(from.U16()), new Incarnation(from.U64()));
                break;
            case Kind.Describe:
                request = new Describe();
                break;
            case Kind.ListSegments:
                request = new ListSegments(new SegmentId(from.U64()), (int)from.U32());
                break;
            case Kind.ShowSegment:
                request = new ShowSegment(from.U128(), new SegmentId(from.U64()));
                break;
            case Kind.ListSessions:
                request = new ListSessions(new SessionId(from.U64()), (int)from.U32());
                break;
            case Kind.Audit:
                var segments = new SegmentId[from.Count(sizeof(ulong))];
                for (int i = 0; i < segments.Length; i++) segments[i] = new SegmentId(from.U64());
                request = new Audit(segments);
                break;
            case Kind.AuditExtents:
                var extents = new ExtentId[from.Count(sizeof(ulong) + sizeof(uint))];
                for (int i = 0; i < extents.Length; i++) extents[i] = new ExtentId(new SegmentId(from.U64()), from.U32());
                request = new AuditExtents(extents);
                break;
            case Kind.ListSnapshots:
                request = new ListSnapshots();
                break;
            case Kind.GetSnapshotDuty:
                request = new GetSnapshotDuty(from.U64(), new SiloId(from.U16()), new SegmentId(from.U64()));
                break;
            case Kind.RenewLeases:
                var sessions = new SessionId[LeaseCount(ref from, 8)];
                for (int i = 0; i < sessions.Length; i++) sessions[i] = new SessionId(from.U64());
                request = new RenewLeases(sessions);
                break;
            case Kind.JudgeLeases:
                var marks = new LeaseMark[LeaseCount(ref from, 16)];
                for (int i = 0; i < marks.Length; i++) marks[i] = new LeaseMark(new SessionId(from.U64()), from.U64());
                request = new JudgeLeases(marks);
                break;
            default:
                request = null;
                break;
        }
        if (from.Failed || from.Remaining != 0) request = null;
        return request is not null;
    }
    private static int LeaseCount(ref SpanReader from, int bytesEach)
    {
        int count = from.Count(bytesEach);
        if (count <= LeaseMark.BatchMax) return count;
        from.Fail();
        return 0;
    }
}
