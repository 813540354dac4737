using Rum.Core.Wire;

namespace Rum.Core.Council;

// Snapshots: what is in them, who saves which shards, when they are complete.
public sealed partial class CouncilMachine
{
    /// <summary>The most snapshots that are kept at once.</summary>
    public const int SnapshotsMax = 256;

    /// <summary>Silos with the pages of each shard on their disk, where so many hold them.</summary>
    public const int SaversMax = 2;

    private const int DutySegmentsMax = 1024;

    private readonly SortedDictionary<ulong, SnapshotRecord> _snapshots = [];
    private ulong _nextSnapshot = 1;
    private ulong _namedDecree;
    private ulong _snapshotsDecree;

    /// <summary>The last decree that changed a snapshot.</summary>
    public ulong SnapshotsDecree => _snapshotsDecree;

    private Result Execute(BeginSnapshot begin)
    {
        string name = begin.Name.Length > 0 ? begin.Name : $"{_nextSnapshot}";
        if (name.Length > NameMax || name.Any(static c => char.IsControl(c) || c is '/' or '\\'))
            return Refuse(RumError.InvalidArgument, $"a snapshot's name has at most {NameMax} characters, no slash and no line break.");
        foreach (SnapshotRecord other in _snapshots.Values.ToArray())
        {
            if (other.Info.TimeMs == begin.TimeMs && (other.Info.Name == begin.Name || begin.Name.Length == 0)) return Done();
            if (other.UnderWay) return Refuse(RumError.Pending, $"snapshot {other.Info.Name} is under way; only one is made at a time.");
            // A failed one is kept so that whoever asked for it can see why; until now.
            if (other.Info.State == SnapshotState.Failed) _snapshots.Remove(other.Info.Id);
            else if (other.Info.Name == name) return Refuse(RumError.AlreadyExists, $"there is a snapshot {name} already; rum snapshot delete {name} removes it.");
        }
        if (_snapshots.Count >= SnapshotsMax) return Refuse(RumError.OutOfMemory, $"there are {SnapshotsMax} snapshots; delete some.");
        ulong id = _nextSnapshot++;
        _snapshots.Add(id, new SnapshotRecord { Info = new SnapshotInfo(id, name, begin.TimeMs, SnapshotState.Cutting, "", 0, 0, 0, 0, []) });
        _snapshotsDecree = Decree;
        return Done();
    }

    private Result Execute(CutSnapshot cut)
    {
        if (!_snapshots.TryGetValue(cut.Snapshot, out SnapshotRecord? snapshot)) return Refuse(RumError.NotFound, NoSnapshot(cut.Snapshot));
        if (snapshot.Info.State != SnapshotState.Cutting) return snapshot.Info.Cut == cut.Cut ? Done() : Refuse(RumError.StaleView, $"the cut of snapshot {snapshot.Info.Name} is made already.");
        if (cut.ViewDecree != ViewDecree) return Refuse(RumError.StaleView, "the silos or shards have changed since the cut.");
        if (_namedDecree > cut.AsOf) return Refuse(RumError.StaleView, "named segments have changed since the cut.");
        var parts = new SortedDictionary<ushort, SnapshotPart>();
        foreach (SegmentRecord segment in _segments.Values)
        {
            if (segment.IsAnonymous) continue;
            snapshot.Segments.Add(new SnapshotSegment(segment.Id, segment.Key, segment.Size, segment.Flags, segment.Copies, segment.FirstShard));
            foreach ((long first, long end) in segment.Held.Runs)
                for (long extent = first; extent < end; extent++) snapshot.Shards.TryAdd(ShardOf(segment, extent).Value, default);
        }
        int lost = 0;
        Span<SiloId> savers = stackalloc SiloId[SaversMax];
        foreach (ushort index in snapshot.Shards.Keys.ToArray())
        {
            ShardRecord shard = _shards[index];
            if (shard.State != ShardState.Served)
            {
                lost++;
                continue;
            }
            int count = 0;
            foreach (Replica replica in shard.Replicas)
            {
                if (replica.State != ReplicaState.InSync || count == SaversMax) continue;
                savers[count++] = replica.Silo;
                SnapshotPart part = parts.GetValueOrDefault(replica.Silo.Value) ?? new SnapshotPart(replica.Silo, _silos[replica.Silo.Value].Member.Name, 0, false, 0, 0);
                parts[replica.Silo.Value] = part with { Shards = part.Shards + 1 };
            }
            snapshot.Shards[index] = SiloSet.Of(savers[..count]);
        }
        snapshot.Info = snapshot.Info with
        {
            State = SnapshotState.Saving,
            Cut = cut.Cut,
            Segments = snapshot.Segments.Count,
            SegmentBytes = snapshot.Segments.Sum(static segment => segment.Size),
            LostShards = lost,
            HeldUs = cut.HeldUs,
            Parts = [.. parts.Values],
        };
        Settle(snapshot);
        return Done();
    }

    private Result Execute(SavedSnapshot saved)
    {
        if (!_snapshots.TryGetValue(saved.Snapshot, out SnapshotRecord? snapshot)) return Refuse(RumError.NotFound, NoSnapshot(saved.Snapshot));
        if (FindLife(saved.Silo, saved.Incarnation) is null) return Refuse(RumError.StaleView, Replaced(saved.Silo));
        if (snapshot.Info.State != SnapshotState.Saving) return Done();
        snapshot.Info = snapshot.Info with
        {
            Parts = [.. snapshot.Info.Parts.Select(part => part.Silo == saved.Silo ? part with { Saved = true, Pages = saved.Pages, Bytes = saved.Bytes } : part)],
        };
        Settle(snapshot);
        return Done();
    }

    private Result Execute(FailSnapshot fail)
    {
        if (!_snapshots.TryGetValue(fail.Snapshot, out SnapshotRecord? snapshot) || !snapshot.UnderWay) return Done();
        Fail(snapshot, fail.Reason.Length > 4 * NameMax ? fail.Reason[..(4 * NameMax)] : fail.Reason);
        return Done();
    }

    private Result Execute(DeleteSnapshot delete)
    {
        if (!_snapshots.Remove(delete.Snapshot)) return Refuse(RumError.NotFound, NoSnapshot(delete.Snapshot));
        _snapshotsDecree = Decree;
        return Done();
    }

    private Result Execute(BeginRestore begin)
    {
        if (begin.Before != Restores) return begin.Before + 1 == Restores ? Done() : Refuse(RumError.StaleView, $"this cluster was restored {Restores} times by now.");
        if (_sessions.Count > 0 && !begin.GiveUp)
        {
            string names = string.Join(", ", _sessions.Values.Take(3).Select(static session => $"{session.Id} ({session.ClientName})"));
            return Refuse(RumError.SegmentBusy, $"a restore ends all sessions, and there {(_sessions.Count == 1 ? "is one" : $"are {_sessions.Count}")}: {names}. Stop those programs.");
        }
        foreach (ulong session in _sessions.Keys.ToArray()) EndSession(new SessionId(session));
        Restores++;
        ViewChanged();
        return Done();
    }

    private void Settle(SnapshotRecord snapshot)
    {
        _snapshotsDecree = Decree;
        if (snapshot.Info.Parts.All(static part => part.Saved)) snapshot.Info = snapshot.Info with { State = SnapshotState.Complete };
    }

    private void Fail(SnapshotRecord snapshot, string reason)
    {
        snapshot.Info = snapshot.Info with { State = SnapshotState.Failed, Reason = reason };
        snapshot.Segments.Clear();
        snapshot.Shards.Clear();
        _snapshotsDecree = Decree;
    }

    /// <summary>A life of a silo is over: what it had not saved yet it won't.</summary>
    private void FailSnapshotsOf(SiloRecord silo)
    {
        foreach (SnapshotRecord snapshot in _snapshots.Values)
        {
            if (snapshot.Info.State == SnapshotState.Saving && snapshot.Info.Parts.Any(part => part.Silo == silo.Member.Id && !part.Saved))
                Fail(snapshot, $"silo {silo.Member.Name} ended before it had saved its part");
        }
    }

    private void NamedChanged(SegmentRecord segment)
    {
        if (!segment.IsAnonymous) _namedDecree = Decree;
    }

    private CouncilAnswer Duty(GetSnapshotDuty duty)
    {
        if (!_snapshots.TryGetValue(duty.Snapshot, out SnapshotRecord? snapshot)) return Answer(RumError.NotFound, NoSnapshot(duty.Snapshot));
        SnapshotSegment[] behind = [.. snapshot.Segments.Where(segment => segment.Id.Value > duty.After.Value).Take(DutySegmentsMax + 1)];
        return new SnapshotDutyAnswer(
            RumError.None, "", Decree, ViewDecree, behind.Length > DutySegmentsMax ? behind[..DutySegmentsMax] : behind, behind.Length > DutySegmentsMax,
            [.. snapshot.Shards.Where(shard => shard.Value.Contains(duty.Silo)).Select(static shard => new ShardId(shard.Key))],
            [.. snapshot.Shards.Where(static shard => shard.Value.Count == 0).Select(static shard => new ShardId(shard.Key))]);
    }

    private static string NoSnapshot(ulong id) => $"there is no snapshot {id}; rum snapshot list shows those that there are.";

    private void WriteSnapshots(ref SpanWriter to)
    {
        to.U32(Restores);
        to.U64(_nextSnapshot);
        to.U64(_namedDecree);
        to.U64(_snapshotsDecree);
        to.U32((uint)_snapshots.Count);
        foreach (SnapshotRecord snapshot in _snapshots.Values)
        {
            SnapshotCodec.WriteInfo(ref to, snapshot.Info);
            SnapshotCodec.WriteSegments(ref to, snapshot.Segments);
            to.U32((uint)snapshot.Shards.Count);
            foreach ((ushort shard, SiloSet savers) in snapshot.Shards)
            {
                to.U16(shard);
                Codec.CommandCodec.WriteSilos(ref to, savers);
            }
        }
    }

    private bool ReadSnapshots(ref SpanReader from)
    {
        Restores = from.U32();
        _nextSnapshot = from.U64();
        _namedDecree = from.U64();
        _snapshotsDecree = from.U64();
        int count = from.Count(SnapshotCodec.InfoBytesMin);
        for (int i = 0; i < count && !from.Failed; i++)
        {
            var snapshot = new SnapshotRecord { Info = SnapshotCodec.ReadInfo(ref from), Segments = [.. SnapshotCodec.ReadSegments(ref from)] };
            int shards = from.Count(3);
            for (int s = 0; s < shards && !from.Failed; s++) snapshot.Shards[from.U16()] = Codec.CommandCodec.ReadSilos(ref from);
            if (!_snapshots.TryAdd(snapshot.Info.Id, snapshot)) return false;
        }
        return !from.Failed;
    }
}
