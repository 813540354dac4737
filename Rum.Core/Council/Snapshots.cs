namespace Rum.Core.Council;

// Snapshots, as the council knows them: commands, questions, answers. The pages never pass through it.

/// <summary>A command about snapshots or a restore: it goes to the council directly on every plane.</summary>
public abstract record SnapshotCommand : Command;

/// <summary>
/// A snapshot shall be made. Only one is under way at a time. The same name and time again changes nothing. An empty <paramref name="Name"/> gets the number as its name.
/// </summary>
/// <param name="Name">Its name, unlike those of other snapshots.</param>
/// <param name="TimeMs">When it was asked for, Unix time in milliseconds.</param>
public sealed record BeginSnapshot(string Name, long TimeMs) : SnapshotCommand;

/// <summary>
/// All silos have marked their tables: the cut is made. What it holds are the named segments as of now, so only if none of them, and no replica, has changed since it was made.
/// </summary>
/// <param name="Snapshot">Its number.</param>
/// <param name="Cut">What the silos call the cut.</param>
/// <param name="AsOf">A decree that was the last one at a time when all silos held acknowledgements.</param>
/// <param name="ViewDecree">The view under which they did.</param>
/// <param name="HeldUs">Microseconds from the first silo's hold to the last one's release.</param>
public sealed record CutSnapshot(ulong Snapshot, ulong Cut, ulong AsOf, ulong ViewDecree, uint HeldUs) : SnapshotCommand;

/// <summary>A silo has its part of a snapshot on its disk. When all have, it is complete.</summary>
public sealed record SavedSnapshot(ulong Snapshot, SiloId Silo, Incarnation Incarnation, long Pages, long Bytes) : SnapshotCommand;

/// <summary>A snapshot that is under way comes to nothing. What was written of it is removed.</summary>
public sealed record FailSnapshot(ulong Snapshot, string Reason) : SnapshotCommand;

/// <summary>A snapshot isn't wanted any more; its files are removed.</summary>
public sealed record DeleteSnapshot(ulong Snapshot) : SnapshotCommand;

/// <summary>
/// The cluster's memory begins a new life: sessions end, and frames of before are refused. Refused while there are sessions or named segments, unless they are given up.
/// </summary>
/// <param name="GiveUp">Whether open sessions are ended.</param>
/// <param name="Before">How many restores there were when this was asked for: it is done once.</param>
public sealed record BeginRestore(bool GiveUp, uint Before) : SnapshotCommand;

/// <summary>How far a snapshot is.</summary>
public enum SnapshotState : byte
{
    /// <summary>Asked for; the silos are being led to a cut.</summary>
    Cutting = 0,

    /// <summary>The cut is made, silos write it to their disks.</summary>
    Saving = 1,

    /// <summary>Every shard that holds something of it is on the disks of two silos, or of all that had it.</summary>
    Complete = 2,

    /// <summary>It came to nothing.</summary>
    Failed = 3,
}

/// <summary>A silo's part of a snapshot.</summary>
/// <param name="Silo">The silo.</param>
/// <param name="Name">Its name then.</param>
/// <param name="Shards">Shards that it saves.</param>
/// <param name="Saved">Whether it has.</param>
/// <param name="Pages">Pages in its file.</param>
/// <param name="Bytes">Bytes of its file.</param>
public sealed record SnapshotPart(SiloId Silo, string Name, int Shards, bool Saved, long Pages, long Bytes);

/// <summary>A snapshot in a list.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Name">Its name.</param>
/// <param name="TimeMs">When it was asked for.</param>
/// <param name="State">How far it is.</param>
/// <param name="Reason">Why it came to nothing.</param>
/// <param name="Cut">What the silos call its cut.</param>
/// <param name="Segments">Named segments in it.</param>
/// <param name="SegmentBytes">Their sizes together.</param>
/// <param name="LostShards">Shards of theirs that were lost already.</param>
/// <param name="Parts">Who saves it.</param>
public sealed record SnapshotInfo(
    ulong Id, string Name, long TimeMs, SnapshotState State, string Reason, ulong Cut, int Segments, long SegmentBytes, int LostShards, IReadOnlyList<SnapshotPart> Parts)
{
    /// <summary>Microseconds for which writes were not acknowledged at its cut.</summary>
    public uint HeldUs { get; init; }
}

/// <summary>A named segment in a snapshot.</summary>
public readonly record struct SnapshotSegment(SegmentId Id, UInt128 Key, long Size, SegmentFlags Flags, byte Copies, ShardId FirstShard);

/// <summary>All snapshots. Answered by <see cref="SnapshotsAnswer"/>.</summary>
public sealed record ListSnapshots : CouncilRequest;

/// <summary>What a silo has to save of a snapshot, segments behind one of them. Answered by <see cref="SnapshotDutyAnswer"/>.</summary>
public sealed record GetSnapshotDuty(ulong Snapshot, SiloId Silo, SegmentId After) : CouncilRequest;

/// <summary>Answers <see cref="ListSnapshots"/>, oldest first.</summary>
public sealed record SnapshotsAnswer(RumError Error, string Message, ulong Decree, ulong ViewDecree, IReadOnlyList<SnapshotInfo> Snapshots)
    : CouncilAnswer(Error, Message, Decree, ViewDecree);

/// <summary>Answers <see cref="GetSnapshotDuty"/>: segments by id, those of its shards that the silo saves, all shards that were lost.</summary>
public sealed record SnapshotDutyAnswer(
    RumError Error, string Message, ulong Decree, ulong ViewDecree, IReadOnlyList<SnapshotSegment> Segments, bool More, IReadOnlyList<ShardId> Shards,
    IReadOnlyList<ShardId> Lost)
    : CouncilAnswer(Error, Message, Decree, ViewDecree);
