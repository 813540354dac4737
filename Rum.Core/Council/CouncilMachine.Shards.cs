using Rum.Core.Ring;

namespace Rum.Core.Council;

// Where shards live. An empty shard follows the ring at once; one that holds extents by learning (CouncilMachine.Replicas.cs).
public sealed partial class CouncilMachine
{
    private void MembersChanged()
    {
        RecomputeTargets();
        for (int i = 0; i < _shards.Count; i++) Settle(i);
        ViewChanged();
    }

    private void RecomputeTargets()
    {
        List<SiloRecord> takers = [.. _silos.Values.Where(static silo => silo.Takes)];
        var ring = new HashRing(_ring, takers.Select(static silo => new RingNode(silo.Member.Id, silo.Member.Capacity)));
        _ring = ring;
        var racks = takers.ToDictionary(static silo => silo.Member.Id, static silo => silo.Member.Label);
        _targets.Clear();
        foreach (ShardBlock block in _blocks)
            _targets.Add(block.Pinned ? [] : ShardAssignment.Assign(ring, RingShards, block.Copies, block.Racks ? racks : null));
    }

    /// <summary>The silos that a shard belongs on now: those of them that are there.</summary>
    private SiloSet TargetOf(int index)
    {
        int block = index / RingShards;
        if (!_blocks[block].Pinned) return _targets[block][index % RingShards];
        SiloSet wanted = _shards[index].PinnedTo;
        Span<SiloId> up = stackalloc SiloId[SiloSet.Max];
        int count = 0;
        for (int i = 0; i < wanted.Count; i++)
            if (UpOrNone(wanted[i]).Value != 0) up[count++] = wanted[i];
        return SiloSet.Of(up[..count]);
    }

    /// <summary>Has a shard where it belongs: an empty one at once, another by steps.</summary>
    private void Settle(int index)
    {
        ShardRecord shard = _shards[index];
        if (shard.Held > 0)
        {
            Balance(index);
            return;
        }
        SiloSet target = FreeOf(TargetOf(index), index);
        ShardState state = target.Count == 0 ? ShardState.Unassigned : ShardState.Served;
        if (shard.State == state && IsAt(shard, target)) return;
        Invariant.Check(shard.Bytes == 0);
        shard.State = state;
        shard.Replicas = InSync(target);
        shard.Epoch++;
        _shards[index] = shard;
        ViewChanged();
    }

    /// <summary>Without silos that are still to drop what they held of this shard: the drop would take new pages along.</summary>
    private SiloSet FreeOf(SiloSet silos, int index)
    {
        if (_shardDrops.Count == 0) return silos;
        Span<SiloId> free = stackalloc SiloId[SiloSet.Max];
        int count = 0;
        for (int i = 0; i < silos.Count; i++)
            if (!_shardDrops.Contains((silos[i].Value, index))) free[count++] = silos[i];
        return SiloSet.Of(free[..count]);
    }

    private bool IsAt(in ShardRecord shard, SiloSet target)
    {
        if (shard.Replicas.Length != target.Count) return false;
        for (int i = 0; i < shard.Replicas.Length; i++)
        {
            Replica replica = shard.Replicas[i];
            if (replica.State != ReplicaState.InSync || replica.Silo != target[i] || replica.Incarnation != _silos[replica.Silo.Value].Member.Incarnation) return false;
        }
        return true;
    }

    private Replica[] InSync(SiloSet silos)
    {
        var replicas = new Replica[silos.Count];
        for (int i = 0; i < replicas.Length; i++) replicas[i] = new Replica(silos[i], _silos[silos[i].Value].Member.Incarnation, ReplicaState.InSync);
        return replicas;
    }

    /// <summary>Counts extents and their bytes in and out of a shard. The last one out sets the shard free, a Lost one too.</summary>
    private void AddHeld(ShardId id, long extents, long bytes)
    {
        ShardRecord shard = _shards[id.Value];
        shard.Held += extents;
        shard.Bytes += bytes;
        Invariant.Check(shard.Held >= 0 && shard.Bytes >= 0);
        _shards[id.Value] = shard;
        if (shard.Held == 0) Settle(id.Value);
    }

    /// <summary>The first shard of the block that keeps so many copies, made now if there is none; false when there are no numbers for it.</summary>
    private bool TryBlock(byte copies, bool racks, out int first)
    {
        var wanted = new ShardBlock(copies, racks && copies > 1);
        int index = _blocks.IndexOf(wanted);
        first = Math.Max(index, 0) * RingShards;
        if (index >= 0) return true;
        if (!TryAddBlock(wanted, RingShards)) return false;
        first = (_blocks.Count - 1) * RingShards;
        RecomputeTargets();
        for (int i = first; i < _shards.Count; i++) Settle(i);
        return true;
    }

    /// <summary>A served shard that was made for these silos, made now if there is none; false when the numbers are used up.</summary>
    private bool TryPinnedShard(SiloSet silos, out ShardId id)
    {
        id = default;
        for (int i = RingShards; i < _shards.Count; i++)
        {
            id = new ShardId((ushort)i);
            if (_shards[i].PinnedTo == silos && _shards[i].State == ShardState.Served) return true;
        }
        for (int i = RingShards; i < _shards.Count; i++)
        {
            if (_blocks[i / RingShards].Pinned && _shards[i].PinnedTo.Count == 0) return Pin(i, silos, out id);
        }
        bool room = _shards.Count % RingShards != 0 && _blocks[^1].Pinned && _shards.Count <= ushort.MaxValue;
        if (room) _shards.Add(ShardRecord.Empty);
        else if (!TryAddBlock(new ShardBlock(0, false), 1)) return false;
        return Pin(_shards.Count - 1, silos, out id);
    }

    private bool Pin(int index, SiloSet silos, out ShardId id)
    {
        id = new ShardId((ushort)index);
        _shards[index] = _shards[index] with { PinnedTo = silos };
        Settle(index);
        return true;
    }

    // The last block of pinned shards is as long as it is used, so that a view carries no more; what follows it begins at the next block.
    private bool TryAddBlock(ShardBlock block, int shards)
    {
        int start = _blocks.Count * RingShards;
        if (start + shards > ushort.MaxValue + 1) return false;
        while (_shards.Count < start + shards) _shards.Add(ShardRecord.Empty);
        _blocks.Add(block);
        _targets.Add([]);
        return true;
    }

    private SiloId UpOrNone(SiloId silo) => _silos.TryGetValue(silo.Value, out SiloRecord? record) && record.Up ? silo : default;

    private void ViewChanged()
    {
        ViewDecree = Decree;
        _view = null;
    }

    private ClusterView BuildView()
    {
        var shards = new ShardView[_shards.Count];
        for (int i = 0; i < shards.Length; i++) shards[i] = new ShardView(_shards[i].Epoch, _shards[i].State, _shards[i].Replicas);
        return new ClusterView(ClusterId, Generation, ViewDecree, [.. _silos.Values.Select(silo => silo.Member with { Council = IsSeated(silo) })], shards, RingShards)
        {
            Restores = Restores,
        };
    }
}
