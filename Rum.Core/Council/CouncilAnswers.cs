namespace Rum.Core.Council;

// What travels in Control frames: the answers.

/// <summary>The council's answer to a request.</summary>
/// <param name="Error">None when it could be answered.</param>
/// <param name="Message">What a person should read, empty when it could.</param>
/// <param name="Decree">The last decree applied.</param>
/// <param name="ViewDecree">The decree of the newest view: fetch it when yours is older.</param>
public record CouncilAnswer(RumError Error, string Message, ulong Decree, ulong ViewDecree);

/// <summary>Answers <see cref="CommandRequest"/>; the outcome stands in <paramref name="Result"/>.</summary>
public sealed record CommandAnswer(RumError Error, string Message, ulong Decree, ulong ViewDecree, Result Result)
    : CouncilAnswer(Error, Message, Decree, ViewDecree);

/// <summary>Answers <see cref="GetView"/>; null when there is none newer.</summary>
public sealed record ViewAnswer(RumError Error, string Message, ulong Decree, ulong ViewDecree, ClusterView? View)
    : CouncilAnswer(Error, Message, Decree, ViewDecree);

/// <summary>Answers <see cref="GetDrops"/>, oldest first; <paramref name="More"/>: there are others behind.</summary>
public sealed record DropsAnswer(RumError Error, string Message, ulong Decree, ulong ViewDecree, IReadOnlyList<Drop> Drops, bool More)
    : CouncilAnswer(Error, Message, Decree, ViewDecree);

/// <summary>Answers <see cref="SiloHeartbeat"/>.</summary>
/// <param name="LastDrop">Sequence of the newest drop that waits for this silo, 0 for none.</param>
public sealed record SiloHeartbeatAnswer(RumError Error, string Message, ulong Decree, ulong ViewDecree, ulong LastDrop)
    : CouncilAnswer(Error, Message, Decree, ViewDecree)
{
    /// <summary>The last decree that changed a snapshot, 0 for none.</summary>
    public ulong SnapshotsDecree { get; init; }
}

/// <summary>Answers <see cref="Describe"/>.</summary>
public sealed record StatusAnswer(RumError Error, string Message, ulong Decree, ulong ViewDecree, ClusterStatus Status)
    : CouncilAnswer(Error, Message, Decree, ViewDecree);

/// <summary>Answers <see cref="ListSegments"/>.</summary>
public sealed record SegmentsAnswer(RumError Error, string Message, ulong Decree, ulong ViewDecree, IReadOnlyList<SegmentInfo> Segments, bool More)
    : CouncilAnswer(Error, Message, Decree, ViewDecree);

/// <summary>Answers <see cref="ShowSegment"/>; null with NotFound.</summary>
public sealed record SegmentAnswer(RumError Error, string Message, ulong Decree, ulong ViewDecree, SegmentDetails? Details)
    : CouncilAnswer(Error, Message, Decree, ViewDecree);

/// <summary>Answers <see cref="ListSessions"/>.</summary>
public sealed record SessionsAnswer(RumError Error, string Message, ulong Decree, ulong ViewDecree, IReadOnlyList<SessionInfo> Sessions, bool More)
    : CouncilAnswer(Error, Message, Decree, ViewDecree);

/// <summary>
/// Something a silo has to drop: whatever it holds of these pages. Carried out in the order of the sequences; confirmed by <see cref="Dropped"/>.
/// A range that is charged again is refused (Pending) until its drop is confirmed, so a drop never meets pages younger than itself.
/// </summary>
/// <param name="Sequence">Rising per silo.</param>
/// <param name="Segment">The segment.</param>
/// <param name="FirstPage">The first page, counted from the segment's start.</param>
/// <param name="PageCount">How many pages.</param>
/// <param name="Freed">The whole segment is gone and its id never comes back; the page range is then without meaning.</param>
/// <param name="Bytes">What the ledger of this silo gets back.</param>
public readonly record struct Drop(ulong Sequence, SegmentId Segment, long FirstPage, long PageCount, bool Freed, long Bytes)
{
    /// <summary>Whether a whole shard is to be dropped, which the silo is no replica of any more: there is no segment then, and no page.</summary>
    public bool IsShard => Segment.Value == 0;

    /// <summary>That shard.</summary>
    public ShardId Shard => new((ushort)FirstPage);

    /// <summary>A whole shard.</summary>
    public static Drop OfShard(ulong sequence, ShardId shard, long bytes) => new(sequence, default, shard.Value, 0, false, bytes);
}

/// <summary>Answers <see cref="RenewLeases"/> and <see cref="JudgeLeases"/>, in their order: the renewal counter of each session, 0 for none.</summary>
public sealed record LeasesAnswer(RumError Error, string Message, ulong Decree, ulong ViewDecree, IReadOnlyList<ulong> Counters)
    : CouncilAnswer(Error, Message, Decree, ViewDecree);
