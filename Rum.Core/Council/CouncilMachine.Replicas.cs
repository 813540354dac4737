namespace Rum.Core.Council;

// Replicas of shards that hold extents: who falls out, who learns, who is in sync. Every change raises the shard's epoch, so that what was
// acknowledged by the old set is never taken for an acknowledgement of the new one.
public sealed partial class CouncilMachine
{
    private Result Execute(CaughtUp caughtUp)
    {
        if (FindLife(caughtUp.Silo, caughtUp.Incarnation) is null) return Refuse(RumError.StaleView, Replaced(caughtUp.Silo));
        int index = caughtUp.Shard.Value;
        if (index >= _shards.Count || _shards[index].State != ShardState.Served) return Done();
        ShardRecord shard = _shards[index];
        int learner = Array.FindIndex(shard.Replicas, replica => replica.Incarnation == caughtUp.Incarnation && replica.State == ReplicaState.Learning);
        // Said of another epoch: it must be said again of this one, in which it may have learned from another lead.
        if (learner < 0 || shard.Epoch != caughtUp.Epoch) return Done();
        Replica[] replicas = [.. shard.Replicas];
        replicas[learner] = replicas[learner] with { State = ReplicaState.InSync };
        Replace(index, replicas);
        Balance(index);
        LeaveWhenDrained();
        return Done();
    }

    /// <summary>
    /// One step of a shard towards where it belongs: who isn't needed any more is let go when all that are needed are in sync; else the first that misses
    /// learns, if it has room for the shard. One learner at a time.
    /// </summary>
    private void Balance(int index)
    {
        ShardRecord shard = _shards[index];
        if (shard.State != ShardState.Served || shard.Held == 0) return;
        if (Array.Exists(shard.Replicas, static replica => replica.State == ReplicaState.Learning)) return;
        // From a silo that isn't heard nobody learns.
        if (Array.TrueForAll(shard.Replicas, replica => _silos[replica.Silo.Value].Member.State == MemberState.Silent)) return;
        SiloSet target = TargetOf(index);
        if (target.Count == 0) return;
        bool complete = true;
        for (int i = 0; i < target.Count; i++)
        {
            SiloRecord silo = _silos[target[i].Value];
            if (Array.Exists(shard.Replicas, replica => replica.Incarnation == silo.Member.Incarnation)) continue;
            complete = false;
            // What it dropped of an earlier time as a replica must be gone before: old pages under a new epoch would be taken for learned ones.
            if (!silo.Takes || shard.Bytes > silo.Free || _shardDrops.Contains((silo.Member.Id.Value, index))) continue;
            silo.Charged += shard.Bytes;
            Replace(index, [.. shard.Replicas, new Replica(silo.Member.Id, silo.Member.Incarnation, ReplicaState.Learning)]);
            return;
        }
        if (!complete || Array.TrueForAll(shard.Replicas, replica => target.Contains(replica.Silo))) return;
        foreach (Replica replica in shard.Replicas)
            if (!target.Contains(replica.Silo)) DropShard(_silos[replica.Silo.Value], index, shard.Bytes);
        // In the order of the ring, so that the lead is where reads are spread evenly.
        Replace(index, InSync(target));
    }

    /// <summary>A shard's new replicas, in a new epoch.</summary>
    private void Replace(int index, Replica[] replicas)
    {
        _shards[index] = _shards[index] with { Replicas = replicas, Epoch = _shards[index].Epoch + 1 };
        ViewChanged();
    }

    /// <summary>
    /// A silo is no replica of a shard with extents any more. <paramref name="ended"/>: that life is over and what it charged with it. Else it must drop
    /// what it holds, and stays if nobody else is in sync. Empty shards are settled afterwards.
    /// </summary>
    private void Withdraw(int index, SiloRecord silo, bool ended)
    {
        ShardRecord shard = _shards[index];
        if (shard.State != ShardState.Served || shard.Held == 0) return;
        int gone = Array.FindIndex(shard.Replicas, replica => replica.Silo == silo.Member.Id);
        if (gone < 0) return;
        Replica[] left = [.. shard.Replicas.Where((_, i) => i != gone)];
        if (Array.Exists(left, static replica => replica.State == ReplicaState.InSync))
        {
            if (!ended) DropShard(silo, index, shard.Bytes);
            Replace(index, left);
            return;
        }
        if (!ended) return;
        // Who was still learning holds nothing that can be relied on.
        foreach (Replica replica in left) DropShard(_silos[replica.Silo.Value], index, shard.Bytes);
        shard.State = ShardState.Lost;
        shard.Replicas = [shard.Replicas[gone]];
        shard.Epoch++;
        _shards[index] = shard;
        ViewChanged();
    }

    private void DropShard(SiloRecord silo, int index, long bytes)
    {
        silo.ToDrop += bytes;
        _shardDrops.Add((silo.Member.Id.Value, index));
        silo.Drops.Add(Drop.OfShard(_nextDrop++, new ShardId((ushort)index), bytes));
    }

    /// <summary>Room fell free, or a drop was carried out: shards that waited for that go on.</summary>
    private void SettleAll()
    {
        for (int i = 0; i < _shards.Count; i++) Settle(i);
        LeaveWhenDrained();
    }

    /// <summary>An emptied silo has left: this decree is what makes it safe to stop.</summary>
    private void LeaveWhenDrained()
    {
        bool left = false;
        foreach (SiloRecord silo in _silos.Values)
        {
            if (silo.Member.State != MemberState.Draining) continue;
            bool holds = _shards.Exists(shard =>
                shard.State == ShardState.Served && shard.Held > 0 && Array.Exists(shard.Replicas, replica => replica.Silo == silo.Member.Id));
            if (holds) continue;
            End(silo);
            left = true;
        }
        if (left) MembersChanged();
    }

    private void ForgetDrops(SiloRecord silo)
    {
        silo.ToDrop = 0;
        silo.Drops.Clear();
        _shardDrops.RemoveWhere(drop => drop.Silo == silo.Member.Id.Value);
    }
}
