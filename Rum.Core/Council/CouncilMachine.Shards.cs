using Rum.Core.Ring;

namespace Rum.Core.Council;

// Where shards live. A shard that holds extents stays where it is; an empty one follows the ring at once.
public sealed partial class CouncilMachine
{
    private void MembersChanged()
    {
        RecomputeTarget();
        for (int i = 0; i < _shards.Count; i++) Settle(i);
        ViewChanged();
    }

    private void RecomputeTarget() =>
        _target = ShardAssignment.Assign(
            new HashRing(_silos.Values.Where(static silo => silo.Up).Select(static silo => new RingNode(silo.Member.Id, silo.Member.Capacity))), RingShards);

    /// <summary>Moves a shard that holds nothing to where it belongs.</summary>
    private void Settle(int index)
    {
        ShardRecord shard = _shards[index];
        if (shard.Held > 0) return;
        SiloId target = index < RingShards ? _target[index] : UpOrNone(shard.PinnedTo);
        ShardState state = target.Value == 0 ? ShardState.Unassigned : ShardState.Served;
        if (shard.State == state && shard.Silo == target) return;
        shard.State = state;
        shard.Silo = target;
        shard.Epoch++;
        _shards[index] = shard;
        ViewChanged();
    }

    /// <summary>Counts extents in and out of a shard. The last one out sets the shard free, a Lost one too.</summary>
    private void AddHeld(ShardId id, long extents)
    {
        ShardRecord shard = _shards[id.Value];
        shard.Held += extents;
        Invariant.Check(shard.Held >= 0);
        _shards[id.Value] = shard;
        if (shard.Held == 0) Settle(id.Value);
    }

    /// <summary>A served shard that was made for a silo, made now if there is none; false when the numbers are used up.</summary>
    private bool TryPinnedShard(SiloId silo, out ShardId id)
    {
        for (int i = RingShards; i < _shards.Count; i++)
        {
            id = new ShardId((ushort)i);
            if (_shards[i].PinnedTo == silo && _shards[i].State == ShardState.Served) return true;
        }
        id = new ShardId((ushort)Math.Min(_shards.Count, ushort.MaxValue));
        if (_shards.Count > ushort.MaxValue) return false;
        _shards.Add(new ShardRecord { PinnedTo = silo });
        Settle(id.Value);
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
        var replicas = new Dictionary<SiloId, Replica[]>();
        foreach (SiloRecord silo in _silos.Values) replicas[silo.Member.Id] = [new Replica(silo.Member.Id, silo.Member.Incarnation, ReplicaState.InSync)];
        var shards = new ShardView[_shards.Count];
        for (int i = 0; i < shards.Length; i++)
        {
            ShardRecord shard = _shards[i];
            shards[i] = new ShardView(shard.Epoch, shard.State, shard.State == ShardState.Served ? replicas[shard.Silo] : []);
        }
        return new ClusterView(ClusterId, Generation, ViewDecree, [.. _silos.Values.Select(silo => silo.Member with { Council = IsSeated(silo) })], shards, RingShards);
    }
}
