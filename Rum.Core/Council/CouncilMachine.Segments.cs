using Rum.Core.Ring;

namespace Rum.Core.Council;

// Segments: created, opened, resized, freed.
public sealed partial class CouncilMachine
{
    // A small allocation may start at any of so many shards, so that it finds room where there is some. Together they look at no more extents
    // than the largest segment has.
    private const int ProbesMax = 64;
    private const long ProbedExtentsMax = 1 << 18;

    private readonly Dictionary<ushort, long> _need = [];

    private Result Execute(Allocate allocate)
    {
        if (CheckAllocate(allocate) is { } wrong) return Refuse(wrong.Error, wrong.Message);
        bool pinned = allocate.Silos.Count > 0;
        byte copies = pinned ? (byte)allocate.Silos.Count : allocate.Copies == 0 ? DefaultCopies : allocate.Copies;
        SegmentFlags flags = pinned ? allocate.Flags | SegmentFlags.Pinned : allocate.Flags;
        bool anonymous = allocate.Key == UInt128.Zero;
        var segment = new SegmentRecord
        {
            Id = new SegmentId(_nextSegment),
            Key = allocate.Key,
            Copies = copies,
            Flags = flags,
            Owner = anonymous ? allocate.Session : default,
        };
        List<(long, long)> ranges = [(0, Layout.ExtentsFor(allocate.Size))];
        Refusal? refusal = pinned ? PlacePinned(segment, allocate, ranges) : PlaceSpread(segment, allocate, ranges);
        if (refusal is { } why) return Refuse(why.Error, why.Message);

        _nextSegment++;
        Charge(segment, ranges, allocate.Size, _need);
        segment.Size = allocate.Size;
        segment.Token = _nextToken++;
        segment.Writer = allocate.Session;
        _segments.Add(segment.Id.Value, segment);
        NamedChanged(segment);
        if (!anonymous) _byKey.Add(segment.Key, segment);
        _sessions[allocate.Session.Value].Segments.Add(segment.Id.Value);
        return Opened(segment, segment.Token);
    }

    private Refusal? CheckAllocate(Allocate allocate)
    {
        if (CheckSize(allocate.Size) is { } wrong) return wrong;
        if (allocate.Copies > SiloSet.Max) return new Refusal(RumError.InvalidArgument, $"a page has 1 to {SiloSet.Max} copies; {allocate.Copies} were asked for.");
        if ((allocate.Flags & ~(SegmentFlags.Pinned | SegmentFlags.Sparse | SegmentFlags.Racks)) != 0)
        {
            return new Refusal(RumError.InvalidArgument, $"the segment flags {(ushort)allocate.Flags:x} are unknown to this council; client and silos differ in version.");
        }
        if (allocate.Silos.Count == 0)
        {
            if ((allocate.Flags & SegmentFlags.Pinned) != 0) return new Refusal(RumError.InvalidArgument, "a pinned allocation must name its silos.");
            int copies = allocate.Copies == 0 ? DefaultCopies : allocate.Copies;
            int silos = _silos.Values.Count(static silo => silo.Member.Capacity > 0);
            if (copies > 1 && silos < copies)
            {
                return new Refusal(RumError.InvalidArgument, $"{copies} copies need {copies} silos that offer memory; the cluster has {silos}. Start more, or ask for fewer copies.");
            }
        }
        else
        {
            if (!allocate.Silos.IsSound) return new Refusal(RumError.InvalidArgument, "an allocation names each of its silos once.");
            if (allocate.Copies > 1 && allocate.Copies != allocate.Silos.Count)
            {
                return new Refusal(RumError.InvalidArgument, $"{allocate.Copies} copies were asked for on {allocate.Silos.Count} named silos; name as many silos as copies.");
            }
            for (int i = 0; i < allocate.Silos.Count; i++)
            {
                if (UpOrNone(allocate.Silos[i]).Value == 0) return new Refusal(RumError.UnknownSilo, $"{allocate.Silos[i]} is not in the cluster now; rum status lists those that are.");
            }
        }
        if (allocate.Key != UInt128.Zero && _byKey.TryGetValue(allocate.Key, out SegmentRecord? existing))
        {
            return new Refusal(RumError.AlreadyExists, $"a segment with key {new SegmentKey(allocate.Key)} exists ({ByteText.Format(existing.Size)}); open it, or free it first.");
        }
        return null;
    }

    private Refusal? PlacePinned(SegmentRecord segment, Allocate allocate, List<(long, long)> ranges)
    {
        if (!TryPinnedShard(allocate.Silos, out ShardId shard)) return new Refusal(RumError.InvalidArgument, "the cluster has used up its shards for pinned allocations.");
        segment.FirstShard = shard;
        return Plan(segment, ranges, allocate.Size, _need);
    }

    private Refusal? PlaceSpread(SegmentRecord segment, Allocate allocate, List<(long, long)> ranges)
    {
        if (!TryBlock(segment.Copies, (segment.Flags & SegmentFlags.Racks) != 0, out int first))
        {
            return new Refusal(RumError.InvalidArgument, $"this cluster of {RingShards} ring shards has no numbers left for another kind of shards ({segment.Copies} copies).");
        }
        ulong hash = segment.IsAnonymous ? StableHash.Mix(segment.Id.Value) : StableHash.Mix(segment.Key);
        long probes = Math.Min(Math.Min(ProbesMax, RingShards), Math.Max(1, ProbedExtentsMax / Layout.ExtentsFor(allocate.Size)));
        Refusal? best = null;
        for (long probe = 0; probe < probes; probe++)
        {
            segment.FirstShard = new ShardId((ushort)((uint)first + ((hash + (ulong)probe) % (uint)RingShards)));
            if (Plan(segment, ranges, allocate.Size, _need) is not { } refusal) return null;
            if (best is null || Rank(refusal.Error) > Rank(best.Value.Error)) best = refusal;
        }
        return best;

        static int Rank(RumError error) => error switch { RumError.Pending => 2, RumError.OutOfMemory => 1, _ => 0 };
    }

    private Result Execute(Open open)
    {
        if (!_byKey.TryGetValue(open.Key, out SegmentRecord? segment)) return Refuse(RumError.NotFound, $"no segment has the key {new SegmentKey(open.Key)}.");
        SessionId session = open.Session;
        bool write = open.Mode == OpenMode.Write || (open.Mode == OpenMode.WriteElseRead && (segment.Writer.Value == 0 || segment.Writer == session));
        if (write && segment.Writer.Value != 0 && segment.Writer != session) return Refuse(RumError.SegmentBusy, Busy(segment));

        if (write)
        {
            if (segment.Writer != session)
            {
                segment.Token = _nextToken++;
                segment.Writer = session;
            }
            segment.Readers.Remove(session.Value);
        }
        else if (segment.Writer != session) segment.Readers.Add(session.Value);
        _sessions[session.Value].Segments.Add(segment.Id.Value);
        return Opened(segment, write ? segment.Token : 0);
    }

    private Result Execute(Close close)
    {
        if (!_segments.TryGetValue(close.Segment.Value, out SegmentRecord? segment)) return Done();
        if (segment.IsAnonymous) return Refuse(RumError.InvalidArgument, $"{close.Segment} is anonymous: it has no one to stay for. Free it.");
        Release(segment, close.Session);
        _sessions[close.Session.Value].Segments.Remove(segment.Id.Value);
        return Done();
    }

    private Result Execute(Resize resize)
    {
        if (CheckWriter(resize.Session, resize.Segment, out SegmentRecord? segment) is { } notWriter) return Refuse(notWriter.Error, notWriter.Message);
        if (CheckSize(resize.Size) is { } wrong) return Refuse(wrong.Error, wrong.Message);
        long oldPages = Layout.PagesFor(segment.Size), newPages = Layout.PagesFor(resize.Size);
        if (newPages > oldPages)
        {
            if (IsDropping(segment.Id, oldPages, newPages)) return Refuse(RumError.Pending, Dropping(segment.Id));
            List<(long, long)> ranges = [(Layout.ExtentOfPage(oldPages), Layout.ExtentsFor(resize.Size))];
            if (Plan(segment, ranges, resize.Size, _need) is { } refusal) return Refuse(refusal.Error, refusal.Message);
            Charge(segment, ranges, resize.Size, _need);
        }
        else if (newPages < oldPages)
        {
            Uncharge(segment, segment.Held.Within(Layout.ExtentOfPage(newPages), Layout.ExtentsFor(segment.Size), present: true), resize.Size);
        }
        segment.Size = resize.Size;
        NamedChanged(segment);
        return Opened(segment, segment.Token);
    }

    private Result Execute(ChargeExtents charge)
    {
        if (CheckWriter(charge.Session, charge.Segment, out SegmentRecord? segment) is { } notWriter) return Refuse(notWriter.Error, notWriter.Message);
        long first = charge.FirstExtent, extents = Layout.ExtentsFor(segment.Size);
        if (first < 0 || charge.Count <= 0 || first >= extents || charge.Count > extents - first)
        {
            return Refuse(RumError.InvalidArgument, $"extents {first} to {first + charge.Count - 1} are not all in {segment.Id}, which has {extents}.");
        }
        long end = first + charge.Count;
        NamedChanged(segment);
        if (!charge.Charged)
        {
            Uncharge(segment, segment.Held.Within(first, end, present: true), size: 0);
            return Done();
        }
        List<(long First, long End)> missing = segment.Held.Within(first, end, present: false);
        foreach ((long from, long to) in missing)
        {
            const int Shift = Layout.ExtentShift - Layout.PageShift;
            if (IsDropping(segment.Id, from << Shift, to << Shift)) return Refuse(RumError.Pending, Dropping(segment.Id));
        }
        if (Plan(segment, missing, segment.Size, _need) is { } refusal) return Refuse(refusal.Error, refusal.Message);
        Charge(segment, missing, segment.Size, _need);
        return Done();
    }

    private Result Execute(Free free)
    {
        SegmentRecord? segment;
        if (free.Segment.Value != 0)
        {
            if (!_segments.TryGetValue(free.Segment.Value, out segment) || (segment.IsAnonymous && segment.Owner != free.Session))
            {
                return Refuse(RumError.NotFound, $"{free.Segment} does not exist or is not this session's.");
            }
        }
        else if (free.Key == UInt128.Zero || !_byKey.TryGetValue(free.Key, out segment))
        {
            return Refuse(RumError.NotFound, $"no segment has the key {new SegmentKey(free.Key)}.");
        }
        if (segment.Writer.Value != 0 && segment.Writer != free.Session) return Refuse(RumError.SegmentBusy, Busy(segment));

        foreach (ulong reader in segment.Readers) _sessions[reader].Segments.Remove(segment.Id.Value);
        if (free.Session.Value != 0) _sessions[free.Session.Value].Segments.Remove(segment.Id.Value);
        Destroy(segment);
        return Done();
    }

    /// <summary>Forgets a segment; every silo that may know of it is told to. The caller takes it out of its sessions.</summary>
    private void Destroy(SegmentRecord segment)
    {
        var bytes = new SortedDictionary<ushort, long>();
        foreach ((long first, long end) in segment.Held.Runs)
        {
            for (long extent = first; extent < end; extent++)
            {
                ShardId id = ShardOf(segment, extent);
                ShardRecord shard = _shards[id.Value];
                if (shard.State != ShardState.Served) continue;
                foreach (Replica replica in shard.Replicas)
                    bytes[replica.Silo.Value] = bytes.GetValueOrDefault(replica.Silo.Value) + segment.ChargeOf(extent, segment.Size);
            }
        }
        // The others hear of it too: those of extents that were given back keep the fence, and where the shards go now, a session that doesn't know
        // yet that it ended would store pages that nobody drops any more.
        foreach (SiloRecord silo in _silos.Values)
            if (silo.Up) bytes.TryAdd(silo.Member.Id.Value, 0);
        foreach ((ushort silo, long amount) in bytes) AddDrop(_silos[silo], segment.Id, 0, Layout.PagesFor(segment.Size), freed: true, amount);
        foreach ((long first, long end) in segment.Held.Runs)
        {
            for (long extent = first; extent < end; extent++) AddHeld(ShardOf(segment, extent), -1, -segment.ChargeOf(extent, segment.Size));
        }
        _segments.Remove(segment.Id.Value);
        NamedChanged(segment);
        if (!segment.IsAnonymous) _byKey.Remove(segment.Key);
        LeaveWhenDrained();
    }

    private Refusal? CheckWriter(SessionId session, SegmentId id, out SegmentRecord segment)
    {
        if (!_segments.TryGetValue(id.Value, out segment!)) return new Refusal(RumError.NotFound, $"{id} does not exist; it was freed.");
        if (segment.Writer == session) return null;
        return segment.IsAnonymous
            ? new Refusal(RumError.NotFound, $"{id} does not exist or is not this session's.")
            : new Refusal(RumError.ReadOnly, $"{id} is not open for writing by this session; open it for writing first.");
    }

    private static Refusal? CheckSize(long size) => size is > 0 and <= Layout.MaxSegmentSize
        ? null
        : new Refusal(RumError.InvalidArgument, $"a segment has 1 byte to {ByteText.Format(Layout.MaxSegmentSize)}; {size} bytes were asked for.");

    private SegmentResult Opened(SegmentRecord segment, ulong token) =>
        new(RumError.None, "", Decree, segment.Id, segment.Key, segment.Size, token, segment.FirstShard, segment.Flags);

    private string Busy(SegmentRecord segment) =>
        $"{segment.Id} is open for writing by {segment.Writer} ({_sessions[segment.Writer.Value].ClientName}); wait until it is closed, or open it read-only.";

    private static string Dropping(SegmentId id) => $"the silos are still dropping what was given back of {id}; ask again.";
}
