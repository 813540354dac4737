namespace Rum.Core.Council;

// Requests that only read.
public sealed partial class CouncilMachine
{
    /// <summary>The most drops in one answer.</summary>
    public const int DropsMax = 1024;

    /// <summary>The most segments in one <see cref="Audit"/>, and extents in one <see cref="AuditExtents"/>.</summary>
    public const int AuditMax = 256;

    /// <summary>The most segments or sessions in one answer.</summary>
    public const int ListMax = 256;

    /// <summary>
    /// Answers a request that changes nothing. A <see cref="Heartbeat"/> is answered by whether the session is open; renewing its lease is the
    /// caller's part. <see cref="CommandRequest"/>s are for <see cref="Apply(ulong, RequestId, Command)"/>.
    /// </summary>
    public CouncilAnswer Query(CouncilRequest request)
    {
        switch (request)
        {
            case GetView get:
                if (get.Session.Value != 0 && !IsOpen(get.Session)) return Answer(RumError.SessionExpired, Ended(get.Session));
                return new ViewAnswer(RumError.None, "", Decree, ViewDecree, get.IfNewerThan < ViewDecree ? View : null);
            case GetDrops get:
                return FindLife(get.Silo, get.Incarnation) is { } silo ? Drops(silo, get.After) : Answer(RumError.StaleView, Replaced(get.Silo));
            case Audit audit:
                return Freed(audit);
            case AuditExtents audit:
                return CutOff(audit);
            case Heartbeat beat:
                return IsOpen(beat.Session) ? Answer(RumError.None, "") : Answer(RumError.SessionExpired, Ended(beat.Session));
            case SiloHeartbeat beat:
                return FindLife(beat.Silo, beat.Incarnation) is { } life
                    ? new SiloHeartbeatAnswer(RumError.None, "", Decree, ViewDecree, life.Drops.Count == 0 ? 0 : life.Drops[^1].Sequence) { SnapshotsDecree = SnapshotsDecree }
                    : Answer(RumError.StaleView, Replaced(beat.Silo));
            case DoubtSilo doubt:
                return FindLife(doubt.Silo, doubt.Incarnation) is null ? Answer(RumError.StaleView, Replaced(doubt.Silo)) : Answer(RumError.None, "");
            case Describe:
                return new StatusAnswer(RumError.None, "", Decree, ViewDecree, Status());
            case ListSegments list:
                return Segments(list);
            case ShowSegment show:
                return Show(show);
            case ListSessions list:
                return SessionList(list);
            case ListSnapshots:
                return new SnapshotsAnswer(RumError.None, "", Decree, ViewDecree, [.. _snapshots.Values.Select(static snapshot => snapshot.Info)]);
            case GetSnapshotDuty duty:
                return Duty(duty);
            default:
                return Answer(RumError.InvalidArgument, $"the council can't answer {request.GetType().Name} without deciding.");
        }
    }

    /// <summary>Whether a session is open.</summary>
    public bool IsOpen(SessionId session) => _sessions.ContainsKey(session.Value);

    private CouncilAnswer Answer(RumError error, string message) => new(error, message, Decree, ViewDecree);

    private SiloRecord? FindLife(SiloId id, Incarnation incarnation) =>
        _silos.TryGetValue(id.Value, out SiloRecord? silo) && silo.Up && silo.Member.Incarnation == incarnation ? silo : null;

    private static string Replaced(SiloId silo) => $"that life of {silo} is not in the cluster: it left or was replaced. The silo must join again.";

    private DropsAnswer Drops(SiloRecord silo, ulong after)
    {
        var found = new List<Drop>();
        bool more = false;
        foreach (Drop drop in silo.Drops)
        {
            if (drop.Sequence <= after) continue;
            if (more = found.Count == DropsMax) break;
            found.Add(drop);
        }
        return new DropsAnswer(RumError.None, "", Decree, ViewDecree, found, more);
    }

    /// <summary>Ids are never given twice, so one that was given and is nobody's now stays freed; one that wasn't given yet may be known elsewhere.</summary>
    private DropsAnswer Freed(Audit audit)
    {
        var freed = new List<Drop>();
        foreach (SegmentId id in audit.Segments)
        {
            if (id.Value < _nextSegment && !_segments.ContainsKey(id.Value)) freed.Add(new Drop(0, id, 0, 0, Freed: true, 0));
        }
        return new DropsAnswer(RumError.None, "", Decree, ViewDecree, freed, More: false);
    }

    /// <summary>Freed segments are the other audit's.</summary>
    private DropsAnswer CutOff(AuditExtents audit)
    {
        var cut = new List<Drop>();
        foreach (ExtentId at in audit.Extents)
        {
            if (!_segments.TryGetValue(at.Segment.Value, out SegmentRecord? segment)) continue;
            long start = (long)at.Extent * Layout.PagesPerExtent, end = start + Layout.PagesPerExtent;
            long first = segment.Held.Contains(at.Extent) ? Math.Clamp(Layout.PagesFor(segment.Size), start, end) : start;
            if (first < end) cut.Add(new Drop(0, at.Segment, first, end - first, Freed: false, 0));
        }
        return new DropsAnswer(RumError.None, "", Decree, ViewDecree, cut, More: false);
    }

    private ClusterStatus Status()
    {
        int[] states = new int[3];
        int learning = 0, incomplete = 0;
        var shards = new Dictionary<ushort, (int All, int InUse, int Learning, int Alone)>();
        for (int i = 0; i < _shards.Count; i++)
        {
            ShardRecord shard = _shards[i];
            if (_blocks[i / RingShards].Pinned && shard.PinnedTo.Count == 0) continue;
            states[(int)shard.State]++;
            if (shard.State != ShardState.Served) continue;
            int inSync = shard.Replicas.Count(static replica => replica.State == ReplicaState.InSync);
            if (inSync < shard.Replicas.Length) learning++;
            if (shard.Held > 0 && inSync < CopiesOf(i)) incomplete++;
            foreach (Replica replica in shard.Replicas)
            {
                (int all, int inUse, int its, int alone) = shards.GetValueOrDefault(replica.Silo.Value);
                int used = shard.Held > 0 ? 1 : 0, learns = replica.State == ReplicaState.Learning ? 1 : 0;
                shards[replica.Silo.Value] = (all + 1, inUse + used, its + learns, alone + (used > 0 && learns == 0 && inSync == 1 ? 1 : 0));
            }
        }
        var members = new List<MemberStatus>();
        foreach (SiloRecord silo in _silos.Values)
        {
            (int all, int inUse, int its, int alone) = shards.GetValueOrDefault(silo.Member.Id.Value);
            members.Add(new MemberStatus(silo.Member with { Council = IsSeated(silo) }, silo.Charged, silo.ToDrop, all, inUse) { Learning = its, Alone = alone });
        }
        return new ClusterStatus(
            ClusterId, Generation, Decree, RingShards, states[(int)ShardState.Served], states[(int)ShardState.Unassigned],
            states[(int)ShardState.Lost], _sessions.Count, _segments.Count, members)
        {
            Copies = DefaultCopies,
            Learning = learning,
            Incomplete = incomplete,
            Snapshot = _snapshots.Values.LastOrDefault(static snapshot => snapshot.UnderWay)?.Info,
            LastSnapshot = _snapshots.Values.LastOrDefault(static snapshot => snapshot.Info.State == SnapshotState.Complete)?.Info,
        };
    }

    private int CopiesOf(int index) => _blocks[index / RingShards] is { Pinned: false } block ? block.Copies : _shards[index].PinnedTo.Count;

    private SegmentsAnswer Segments(ListSegments list)
    {
        int max = Math.Clamp(list.Max, 1, ListMax);
        var found = new List<SegmentInfo>();
        bool more = false;
        foreach ((ulong id, SegmentRecord segment) in _segments)
        {
            if (id <= list.After.Value) continue;
            if (more = found.Count == max) break;
            found.Add(Info(segment));
        }
        return new SegmentsAnswer(RumError.None, "", Decree, ViewDecree, found, more);
    }

    private SegmentAnswer Show(ShowSegment show)
    {
        SegmentRecord? segment;
        if (show.Key != UInt128.Zero ? !_byKey.TryGetValue(show.Key, out segment) : !_segments.TryGetValue(show.Segment.Value, out segment))
        {
            string name = show.Key != UInt128.Zero ? $"no segment has the key {new SegmentKey(show.Key)}" : $"{show.Segment} does not exist";
            return new SegmentAnswer(RumError.NotFound, name + "; rum segment list shows those that do.", Decree, ViewDecree, null);
        }
        var places = new SortedDictionary<ushort, (long Extents, long Bytes)>();
        foreach ((long first, long end) in segment.Held.Runs)
        {
            for (long extent = first; extent < end; extent++)
            {
                ShardRecord shard = _shards[ShardOf(segment, extent).Value];
                if (shard.State != ShardState.Served) Count(0);
                else foreach (Replica replica in shard.Replicas) Count(replica.Silo.Value);

                void Count(ushort silo)
                {
                    (long extents, long bytes) = places.GetValueOrDefault(silo);
                    places[silo] = (extents + 1, bytes + segment.ChargeOf(extent, segment.Size));
                }
            }
        }
        return new SegmentAnswer(
            RumError.None, "", Decree, ViewDecree,
            new SegmentDetails(Info(segment), segment.Token, segment.FirstShard, [.. places.Select(static place => new SegmentPlace(new SiloId(place.Key), place.Value.Extents, place.Value.Bytes))]));
    }

    private SessionsAnswer SessionList(ListSessions list)
    {
        int max = Math.Clamp(list.Max, 1, ListMax);
        var found = new List<SessionInfo>();
        bool more = false;
        foreach ((ulong id, SessionRecord session) in _sessions)
        {
            if (id <= list.After.Value) continue;
            if (more = found.Count == max) break;
            long anonymous = session.Segments.Sum(number => _segments[number].Owner == session.Id ? _segments[number].Size : 0);
            found.Add(new SessionInfo(session.Id, session.Tenant, session.ClientName, session.LeaseMs, anonymous, session.Segments.Count));
        }
        return new SessionsAnswer(RumError.None, "", Decree, ViewDecree, found, more);
    }

    private static SegmentInfo Info(SegmentRecord segment)
    {
        long charged = 0;
        foreach ((long first, long end) in segment.Held.Runs)
        {
            // Only the last extent below the size can be charged in part.
            if (!segment.Sparse) charged += ((end - first - 1) << Layout.ExtentShift) + segment.ChargeOf(end - 1, segment.Size);
        }
        return new SegmentInfo(
            segment.Id, segment.Key, segment.Size, segment.Flags, segment.Copies, segment.Owner, segment.Writer, segment.Readers.Count, charged)
        { FirstShard = segment.FirstShard };
    }
}
