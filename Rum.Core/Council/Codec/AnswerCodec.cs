using System.Diagnostics.CodeAnalysis;
using Rum.Core.Wire;

namespace Rum.Core.Council.Codec;

/// <summary>Answers as the payload of a control message. One message is one answer and nothing behind it.</summary>
public static partial class AnswerCodec
{
    /// <summary>No answer is longer: a view of 65,536 shards with 2 replicas each and 1,000 members.</summary>
    public const int BytesMax = 1 << 20;

    private enum Kind : byte
    {
        Plain = 1,
        Command = 2,
        View = 3,
        Drops = 4,
        SiloHeartbeat = 5,
        Status = 6,
        Segments = 7,
        Segment = 8,
        Sessions = 9,
        Leases = 10,
        Snapshots = 20,
        SnapshotDuty = 21,
    }

    /// <summary>Writes an answer and returns its length; -1 when it doesn't fit.</summary>
    public static int Encode(Span<byte> buffer, CouncilAnswer answer)
    {
        var to = new SpanWriter(buffer);
        to.U8((byte)KindOf(answer));
        to.U16((ushort)answer.Error);
        to.String(answer.Message);
        to.U64(answer.Decree);
        to.U64(answer.ViewDecree);
        switch (answer)
        {
            case CommandAnswer it:
                ResultCodec.Write(ref to, it.Result);
                break;
            case ViewAnswer it:
                to.Bool(it.View is not null);
                if (it.View is not null) ViewCodec.Write(ref to, it.View);
                break;
            case DropsAnswer it:
                to.U32((uint)it.Drops.Count);
                foreach (Drop drop in it.Drops) WriteDrop(ref to, drop);
                to.Bool(it.More);
                break;
            case SiloHeartbeatAnswer it:
                to.U64(it.LastDrop);
                to.U64(it.SnapshotsDecree);
                break;
            case StatusAnswer it:
                WriteStatus(ref to, it.Status);
                break;
            case SegmentsAnswer it:
                to.U32((uint)it.Segments.Count);
                foreach (SegmentInfo info in it.Segments) WriteInfo(ref to, info);
                to.Bool(it.More);
                break;
            case SegmentAnswer it:
                to.Bool(it.Details is not null);
                if (it.Details is not null) WriteDetails(ref to, it.Details);
                break;
            case SessionsAnswer it:
                to.U32((uint)it.Sessions.Count);
                foreach (SessionInfo info in it.Sessions) WriteSession(ref to, info);
                to.Bool(it.More);
                break;
            case SnapshotsAnswer it:
                to.U32((uint)it.Snapshots.Count);
                foreach (SnapshotInfo info in it.Snapshots) SnapshotCodec.WriteInfo(ref to, info);
                break;
            case SnapshotDutyAnswer it:
                SnapshotCodec.WriteSegments(ref to, it.Segments);
                to.Bool(it.More);
                SnapshotCodec.WriteShards(ref to, it.Shards);
                SnapshotCodec.WriteShards(ref to, it.Lost);
                break;
            case LeasesAnswer it:
                to.U32((uint)it.Counters.Count);
                foreach (ulong counter in it.Counters) to.U64(counter);
                break;
        }
        return to.Overflowed ? -1 : to.Length;
    }

    private static Kind KindOf(CouncilAnswer answer) => answer switch
    {
        CommandAnswer => Kind.Command,
        ViewAnswer => Kind.View,
        DropsAnswer => Kind.Drops,
        SiloHeartbeatAnswer => Kind.SiloHeartbeat,
        StatusAnswer => Kind.Status,
        SegmentsAnswer => Kind.Segments,
        SegmentAnswer => Kind.Segment,
        SessionsAnswer => Kind.Sessions,
        LeasesAnswer => Kind.Leases,
        SnapshotsAnswer => Kind.Snapshots,
        SnapshotDutyAnswer => Kind.SnapshotDuty,
        _ => Kind.Plain,
    };

    /// <summary>Reads an answer from hostile bytes.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out CouncilAnswer? answer)
    {
        var from = new SpanReader(bytes);
        answer = Read(ref from);
        if (from.Failed || from.Remaining != 0) answer = null;
        return answer is not null;
    }

    private static CouncilAnswer? Read(ref SpanReader from)
    {
        var kind = (Kind)from.U8();
        var error = (RumError)from.U16();
        string message = from.String();
        ulong decree = from.U64(), view = from.U64();
        switch (kind)
        {
            case Kind.Plain:
                return new CouncilAnswer(error, message, decree, view);
            case Kind.Command:
                return ResultCodec.Read(ref from) is { } result ? new CommandAnswer(error, message, decree, view, result) : null;
            case Kind.View:
                return new ViewAnswer(error, message, decree, view, from.Bool() ? ViewCodec.Read(ref from) : null);
            case Kind.Drops:
                var drops = new Drop[from.Count(DropBytes)];
                for (int i = 0; i < drops.Length; i++) drops[i] = ReadDrop(ref from);
                return new DropsAnswer(error, message, decree, view, drops, from.Bool());
            case Kind.SiloHeartbeat:
                return new SiloHeartbeatAnswer(error, message, decree, view, from.U64()) { SnapshotsDecree = from.U64() };
            case Kind.Status:
                return ReadStatus(ref from) is { } status ? new StatusAnswer(error, message, decree, view, status) : null;
            case Kind.Segments:
                var segments = new SegmentInfo[from.Count(InfoBytes)];
                for (int i = 0; i < segments.Length; i++) segments[i] = ReadInfo(ref from);
                return new SegmentsAnswer(error, message, decree, view, segments, from.Bool());
            case Kind.Segment:
                return new SegmentAnswer(error, message, decree, view, from.Bool() ? ReadDetails(ref from) : null);
            case Kind.Sessions:
                var sessions = new SessionInfo[from.Count(SessionBytesMin)];
                for (int i = 0; i < sessions.Length; i++) sessions[i] = ReadSession(ref from);
                return new SessionsAnswer(error, message, decree, view, sessions, from.Bool());
            case Kind.Snapshots:
                var snapshots = new SnapshotInfo[from.Count(SnapshotCodec.InfoBytesMin)];
                for (int i = 0; i < snapshots.Length; i++) snapshots[i] = SnapshotCodec.ReadInfo(ref from);
                return new SnapshotsAnswer(error, message, decree, view, snapshots);
            case Kind.SnapshotDuty:
                return new SnapshotDutyAnswer(
                    error, message, decree, view, SnapshotCodec.ReadSegments(ref from), from.Bool(), SnapshotCodec.ReadShards(ref from), SnapshotCodec.ReadShards(ref from));
            case Kind.Leases:
                ulong[] counters = new ulong[from.Count(8)];
                for (int i = 0; i < counters.Length; i++) counters[i] = from.U64();
                return new LeasesAnswer(error, message, decree, view, counters);
            default:
                return null;
        }
    }
}
