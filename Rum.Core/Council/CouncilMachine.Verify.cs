namespace Rum.Core.Council;

// The machine's own audit.
public sealed partial class CouncilMachine
{
    /// <summary>
    /// Counts the whole state again and stops the program where a kept sum differs: ledger, held extents, states of shards, who has what open. For
    /// tests, and cheap enough after a checkpoint was read.
    /// </summary>
    public void Verify()
    {
        var charged = new Dictionary<ushort, long>();
        long[] held = new long[_shards.Count], stored = new long[_shards.Count];
        foreach (SegmentRecord segment in _segments.Values)
        {
            Invariant.Check(segment.Id.Value < _nextSegment && segment.Token < _nextToken);
            Invariant.Check(segment.IsAnonymous ? segment.Owner == segment.Writer : segment.Owner.Value == 0 && _byKey[segment.Key] == segment);
            Invariant.Check(segment.Writer.Value == 0 || _sessions[segment.Writer.Value].Segments.Contains(segment.Id.Value));
            foreach (ulong reader in segment.Readers) Invariant.Check(_sessions[reader].Segments.Contains(segment.Id.Value));
            CountHeld(segment, (machine, shard, bytes) =>
            {
                held[shard.Value]++;
                stored[shard.Value] += bytes;
                if (machine._shards[shard.Value].State != ShardState.Served) return;
                foreach (Replica replica in machine._shards[shard.Value].Replicas)
                    charged[replica.Silo.Value] = charged.GetValueOrDefault(replica.Silo.Value) + bytes;
            });
        }
        foreach (SessionRecord session in _sessions.Values)
        {
            foreach (ulong segment in session.Segments) Invariant.Check(_segments.ContainsKey(segment));
        }
        foreach ((ushort id, SiloRecord silo) in _silos)
        {
            long toDrop = 0;
            ulong previous = 0;
            foreach (Drop drop in silo.Drops)
            {
                Invariant.Check(drop.Sequence > previous && drop.Sequence < _nextDrop);
                previous = drop.Sequence;
                toDrop += drop.Bytes;
            }
            Invariant.Check(silo.ToDrop == toDrop);
            Invariant.Check(silo.Charged == charged.GetValueOrDefault(id) + toDrop);
            Invariant.Check(!silo.Up || silo.Charged <= silo.Member.Capacity);
            Invariant.Check(silo.Up || silo.Charged == 0);
        }
        for (int i = 0; i < held.Length; i++)
        {
            ShardRecord shard = _shards[i];
            Invariant.Check(shard.Held == held[i] && shard.Bytes == stored[i]);
            VerifyReplicas(shard);
            // An empty shard is where it belongs.
            Invariant.Check(shard.Held > 0 || IsAt(shard, FreeOf(TargetOf(i), i)));
        }
    }

    private void VerifyReplicas(in ShardRecord shard)
    {
        Invariant.Check((shard.State == ShardState.Unassigned) == (shard.Replicas.Length == 0));
        Invariant.Check(shard.State == ShardState.Unassigned || shard.Replicas[0].State == ReplicaState.InSync);
        Invariant.Check(shard.State != ShardState.Lost || shard.Held > 0);
        int learning = 0;
        foreach (Replica replica in shard.Replicas)
        {
            SiloRecord silo = _silos[replica.Silo.Value];
            Invariant.Check(shard.State == ShardState.Lost || (silo.Up && silo.Member.Incarnation == replica.Incarnation));
            learning += replica.State == ReplicaState.Learning ? 1 : 0;
        }
        Invariant.Check(learning <= 1);
    }
}
