using System.Text;

namespace Rum.Core.Council;

// The ledger: what is charged where. An allocation that was accepted can't fail later for want of room.
public sealed partial class CouncilMachine
{
    private readonly record struct Refusal(RumError Error, string Message);

    /// <summary>
    /// Whether the extents in <paramref name="ranges"/> can be charged at <paramref name="size"/>, and what that takes from each silo. An extent
    /// that is held already (the last one of a growing segment) costs only the difference.
    /// </summary>
    private Refusal? Plan(SegmentRecord segment, List<(long First, long End)> ranges, long size, Dictionary<ushort, long> need)
    {
        need.Clear();
        long total = 0;
        foreach ((long first, long end) in ranges)
        {
            for (long extent = first; extent < end; extent++)
            {
                ShardId id = ShardOf(segment, extent);
                ShardRecord shard = _shards[id.Value];
                if (shard.State == ShardState.Unassigned) return new Refusal(RumError.OutOfMemory, NoSilos(size));
                if (shard.State == ShardState.Lost) return new Refusal(RumError.ShardLost, LostShard(id, shard));
                long bytes = segment.ChargeOf(extent, size) - (segment.Held.Contains(extent) ? segment.ChargeOf(extent, segment.Size) : 0);
                foreach (Replica replica in shard.Replicas)
                {
                    need[replica.Silo.Value] = need.GetValueOrDefault(replica.Silo.Value) + bytes;
                    total += bytes;
                }
            }
        }
        bool fits = true, fitsLater = true;
        foreach ((ushort silo, long bytes) in need)
        {
            fits &= bytes <= _silos[silo].Free;
            fitsLater &= bytes <= _silos[silo].Free + _silos[silo].ToDrop;
        }
        if (fits) return null;
        string why = NoRoom(total, need);
        return fitsLater ? new Refusal(RumError.Pending, why + " Freed memory is being dropped there; ask again.") : new Refusal(RumError.OutOfMemory, why);
    }

    /// <summary>Charges what <see cref="Plan"/> found possible.</summary>
    private void Charge(SegmentRecord segment, List<(long First, long End)> ranges, long size, Dictionary<ushort, long> need)
    {
        foreach ((ushort silo, long bytes) in need)
        {
            SiloRecord record = _silos[silo];
            record.Charged += bytes;
            Invariant.Check(record.Charged <= record.Member.Capacity);
        }
        foreach ((long first, long end) in ranges)
        {
            for (long extent = first; extent < end; extent++)
            {
                bool held = segment.Held.Contains(extent);
                AddHeld(ShardOf(segment, extent), held ? 0 : 1, segment.ChargeOf(extent, size) - (held ? segment.ChargeOf(extent, segment.Size) : 0));
            }
            segment.Held.Add(first, end);
        }
    }

    /// <summary>
    /// Has silos drop pages: the extents in <paramref name="ranges"/> are held no more, those cut through keep what is below
    /// <paramref name="size"/>. The ledger gives the bytes back only when the silo has confirmed.
    /// </summary>
    private void Uncharge(SegmentRecord segment, List<(long First, long End)> ranges, long size)
    {
        foreach ((long first, long end) in ranges)
        {
            var bytes = new SortedDictionary<ushort, long>();
            for (long extent = first; extent < end; extent++)
            {
                ShardId id = ShardOf(segment, extent);
                ShardRecord shard = _shards[id.Value];
                long given = segment.ChargeOf(extent, segment.Size) - segment.ChargeOf(extent, size);
                if (shard.State == ShardState.Served)
                {
                    foreach (Replica replica in shard.Replicas) bytes[replica.Silo.Value] = bytes.GetValueOrDefault(replica.Silo.Value) + given;
                }
                AddHeld(id, extent << Layout.ExtentShift >= size ? -1 : 0, -given);
            }
            long firstPage = Math.Max(Layout.PagesFor(size), first << (Layout.ExtentShift - Layout.PageShift));
            long endPage = Math.Min(Layout.PagesFor(segment.Size), end << (Layout.ExtentShift - Layout.PageShift));
            foreach ((ushort silo, long amount) in bytes) AddDrop(_silos[silo], segment.Id, firstPage, endPage - firstPage, freed: false, amount);
            segment.Held.Remove(Math.Max(first, Layout.ExtentsFor(size)), end);
        }
    }

    private void AddDrop(SiloRecord silo, SegmentId segment, long firstPage, long pageCount, bool freed, long bytes)
    {
        silo.ToDrop += bytes;
        silo.Drops.Add(new Drop(_nextDrop++, segment, firstPage, pageCount, freed, bytes));
    }

    private Result Execute(Dropped dropped)
    {
        if (!_silos.TryGetValue(dropped.Silo.Value, out SiloRecord? silo)) return Refuse(RumError.UnknownSilo, $"{dropped.Silo} is not a member of the cluster.");
        if (!silo.Up || silo.Member.Incarnation != dropped.Incarnation) return Refuse(RumError.StaleView, $"that life of silo {silo.Member.Name} was replaced.");
        int count = 0;
        while (count < silo.Drops.Count && silo.Drops[count].Sequence <= dropped.UpTo)
        {
            silo.ToDrop -= silo.Drops[count].Bytes;
            silo.Charged -= silo.Drops[count].Bytes;
            if (silo.Drops[count].IsShard) _shardDrops.Remove((silo.Member.Id.Value, silo.Drops[count].Shard.Value));
            count++;
        }
        silo.Drops.RemoveRange(0, count);
        Invariant.Check(silo.ToDrop >= 0 && silo.Charged >= silo.ToDrop);
        if (count > 0) SettleAll();
        return Done();
    }

    /// <summary>Whether a drop of these pages still waits somewhere: charged again too early, it would meet pages younger than itself.</summary>
    private bool IsDropping(SegmentId segment, long firstPage, long endPage)
    {
        foreach (SiloRecord silo in _silos.Values)
        {
            foreach (Drop drop in silo.Drops)
            {
                if (drop.Segment == segment && drop.FirstPage < endPage && firstPage < drop.FirstPage + drop.PageCount) return true;
            }
        }
        return false;
    }

    private ShardId ShardOf(SegmentRecord segment, long extent) => SegmentLayout.ShardOf(segment.FirstShard, segment.Flags, extent, RingShards);

    private string NoRoom(long total, Dictionary<ushort, long> need)
    {
        // The silos that are short come first; a thousand lines help nobody.
        const int ListedMax = 8;
        var text = new StringBuilder($"no room for {ByteText.Format(total)}:");
        IEnumerable<SiloRecord> silos = _silos.Values.Where(static silo => silo.Up && silo.Member.Capacity > 0)
            .OrderBy(silo => need.GetValueOrDefault(silo.Member.Id.Value) <= silo.Free).ThenBy(static silo => silo.Member.Id.Value);
        int listed = 0, count = 0;
        foreach (SiloRecord silo in silos)
        {
            if (count++ >= ListedMax) continue;
            text.Append(listed++ == 0 ? " " : ", ")
                .Append($"silo {silo.Member.Name} has {ByteText.Format(silo.Free)} free of {ByteText.Format(silo.Member.Capacity)}");
            if (silo.ToDrop > 0) text.Append($" ({ByteText.Format(silo.ToDrop)} being freed)");
        }
        if (count > listed) text.Append($", and {count - listed} more silos");
        return text.Append(". Free memory, or start silos with more.").ToString();
    }

    private static string NoSilos(long size) =>
        $"no room for {ByteText.Format(size)}: no silo that offers memory is in the cluster. Start one: rum silo run --memory 4G.";

    private string LostShard(ShardId id, in ShardRecord shard)
    {
        string silos = string.Join(", ", shard.Replicas.Select(replica => $"silo {_silos[replica.Silo.Value].Member.Name}"));
        return $"{id} is Lost: what held it last ({silos}) left or restarted, and the pages in it are gone. Delete the segments that lost pages (rum segment list).";
    }
}
