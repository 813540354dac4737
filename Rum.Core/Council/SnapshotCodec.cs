using Rum.Core.Wire;

namespace Rum.Core.Council;

/// <summary>Snapshots and their segments as bytes, in the council's state and in its answers.</summary>
internal static class SnapshotCodec
{
    public const int InfoBytesMin = 8 + 2 + 8 + 1 + 2 + 8 + 4 + 8 + 4 + 4 + 4;
    private const int PartBytesMin = 2 + 2 + 4 + 1 + 8 + 8;
    private const int SegmentBytes = 8 + 16 + 8 + 2 + 1 + 2;

    public static void WriteInfo(ref SpanWriter to, SnapshotInfo info)
    {
        to.U64(info.Id);
        to.String(info.Name);
        to.I64(info.TimeMs);
        to.U8((byte)info.State);
        to.String(info.Reason);
        to.U64(info.Cut);
        to.U32((uint)info.Segments);
        to.I64(info.SegmentBytes);
        to.U32((uint)info.LostShards);
        to.U32(info.HeldUs);
        to.U32((uint)info.Parts.Count);
        foreach (SnapshotPart part in info.Parts)
        {
            to.U16(part.Silo.Value);
            to.String(part.Name);
            to.U32((uint)part.Shards);
            to.Bool(part.Saved);
            to.I64(part.Pages);
            to.I64(part.Bytes);
        }
    }

    public static SnapshotInfo ReadInfo(ref SpanReader from)
    {
        var info = new SnapshotInfo(
            from.U64(), from.String(), from.I64(), (SnapshotState)from.UpTo((byte)SnapshotState.Failed), from.String(), from.U64(), (int)from.U32(), from.I64(), (int)from.U32(), [])
        { HeldUs = from.U32() };
        var parts = new SnapshotPart[from.Count(PartBytesMin)];
        for (int i = 0; i < parts.Length; i++) parts[i] = new SnapshotPart(new SiloId(from.U16()), from.String(), (int)from.U32(), from.Bool(), from.I64(), from.I64());
        return info with { Parts = parts };
    }

    public static void WriteSegments(ref SpanWriter to, IReadOnlyList<SnapshotSegment> segments)
    {
        to.U32((uint)segments.Count);
        foreach (SnapshotSegment segment in segments)
        {
            to.U64(segment.Id.Value);
            to.U128(segment.Key);
            to.I64(segment.Size);
            to.U16((ushort)segment.Flags);
            to.U8(segment.Copies);
            to.U16(segment.FirstShard.Value);
        }
    }

    public static SnapshotSegment[] ReadSegments(ref SpanReader from)
    {
        var segments = new SnapshotSegment[from.Count(SegmentBytes)];
        for (int i = 0; i < segments.Length; i++)
            segments[i] = new SnapshotSegment(new SegmentId(from.U64()), from.U128(), from.I64(), (SegmentFlags)from.U16(), from.U8(), new ShardId(from.U16()));
        return segments;
    }

    public static void WriteShards(ref SpanWriter to, IReadOnlyList<ShardId> shards)
    {
        to.U32((uint)shards.Count);
        foreach (ShardId shard in shards) to.U16(shard.Value);
    }

    public static ShardId[] ReadShards(ref SpanReader from)
    {
        var shards = new ShardId[from.Count(2)];
        for (int i = 0; i < shards.Length; i++) shards[i] = new ShardId(from.U16());
        return shards;
    }
}
