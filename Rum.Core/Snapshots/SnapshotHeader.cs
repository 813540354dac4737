using Rum.Core.Council;
using Rum.Core.Wire;

namespace Rum.Core.Snapshots;

/// <summary>What stands at the front of each silo's file of a snapshot: the whole manifest, so that the files alone are enough to restore.</summary>
/// <param name="ClusterId">The cluster.</param>
/// <param name="Snapshot">The snapshot's number there.</param>
/// <param name="Name">Its name.</param>
/// <param name="TimeMs">When it was asked for, Unix time in milliseconds.</param>
/// <param name="Cut">What the silos called the cut: files of one cut belong together.</param>
/// <param name="Silo">Whose file this is.</param>
/// <param name="RingShards">Shards of the ring.</param>
/// <param name="Segments">All named segments.</param>
/// <param name="Shards">The shards that are saved in this file.</param>
/// <param name="Lost">Shards that were lost when the cut was made.</param>
public sealed record SnapshotHeader(
    Guid ClusterId, ulong Snapshot, string Name, long TimeMs, ulong Cut, string Silo, int RingShards, IReadOnlyList<SnapshotSegment> Segments, IReadOnlyList<ShardId> Shards,
    IReadOnlyList<ShardId> Lost)
{
    internal void Write(ref SpanWriter to)
    {
        to.Guid(ClusterId);
        to.U64(Snapshot);
        to.String(Name);
        to.I64(TimeMs);
        to.U64(Cut);
        to.String(Silo);
        to.U32((uint)RingShards);
        SnapshotCodec.WriteSegments(ref to, Segments);
        SnapshotCodec.WriteShards(ref to, Shards);
        SnapshotCodec.WriteShards(ref to, Lost);
    }

    internal static SnapshotHeader Read(ref SpanReader from)
    {
        var header = new SnapshotHeader(
            from.Guid(), from.U64(), from.String(), from.I64(), from.U64(), from.String(), (int)from.U32(), SnapshotCodec.ReadSegments(ref from), SnapshotCodec.ReadShards(ref from),
            SnapshotCodec.ReadShards(ref from));
        if (header.RingShards is < 2 or > 1 << 15) from.Fail();
        foreach (SnapshotSegment segment in header.Segments)
            if (segment.Size is <= 0 or > Layout.MaxSegmentSize || segment.Key == UInt128.Zero) from.Fail();
        return header;
    }
}
