using Rum.Core.Council.Codec;
using Rum.Core.Wire;

namespace Rum.Core.Council;

// The state as bytes. What follows from the rest (ledger sums, held extents, targets, indexes) isn't written but computed again.
public sealed partial class CouncilMachine
{
    internal void WriteState(ref SpanWriter to)
    {
        to.Guid(ClusterId);
        to.U32(Generation);
        to.U32((uint)RingShards);
        to.U64(Decree);
        to.U64(ViewDecree);
        to.U64(_nextSession);
        to.U64(_nextSegment);
        to.U64(_nextToken);
        to.U64(_nextDrop);
        to.U16(_nextSilo);
        to.U8(DefaultCopies);
        WriteCouncil(ref to);
        to.U8((byte)_blocks.Count);
        foreach (ShardBlock block in _blocks)
        {
            to.U8(block.Copies);
            to.Bool(block.Racks);
        }

        to.U32((uint)_silos.Count);
        foreach (SiloRecord silo in _silos.Values) WriteSilo(ref to, silo);
        to.U32((uint)_shards.Count);
        foreach (ShardRecord shard in _shards)
        {
            to.U32(shard.Epoch);
            to.U8((byte)shard.State);
            to.U8((byte)shard.Replicas.Length);
            foreach (Replica replica in shard.Replicas)
            {
                to.U16(replica.Silo.Value);
                to.U64(replica.Incarnation.Value);
                to.U8((byte)replica.State);
            }
            CommandCodec.WriteSilos(ref to, shard.PinnedTo);
        }
        to.U32((uint)_segments.Count);
        foreach (SegmentRecord segment in _segments.Values) WriteSegment(ref to, segment);
        to.U32((uint)_sessions.Count);
        foreach (SessionRecord session in _sessions.Values) WriteSession(ref to, session);
        WriteSnapshots(ref to);
    }

    private static void WriteSilo(ref SpanWriter to, SiloRecord silo)
    {
        ViewCodec.WriteMember(ref to, silo.Member);
        to.U64(silo.Seat);
        to.U32((uint)silo.PastLives.Count);
        foreach (Incarnation life in silo.PastLives) to.U64(life.Value);
        to.U32((uint)silo.Drops.Count);
        foreach (Drop drop in silo.Drops) AnswerCodec.WriteDrop(ref to, drop);
    }

    private static void WriteSegment(ref SpanWriter to, SegmentRecord segment)
    {
        to.U64(segment.Id.Value);
        to.U128(segment.Key);
        to.U8(segment.Copies);
        to.U16((ushort)segment.Flags);
        to.U16(segment.FirstShard.Value);
        to.U64(segment.Owner.Value);
        to.I64(segment.Size);
        to.U64(segment.Token);
        to.U64(segment.Writer.Value);
        to.U32((uint)segment.Readers.Count);
        foreach (ulong reader in segment.Readers) to.U64(reader);
        segment.Held.Write(ref to);
    }

    private static void WriteSession(ref SpanWriter to, SessionRecord session)
    {
        to.U64(session.Id.Value);
        to.U128(session.Nonce);
        to.String(session.Tenant);
        to.String(session.ClientName);
        to.U32((uint)session.LeaseMs);
        to.U32((uint)session.Segments.Count);
        foreach (ulong segment in session.Segments) to.U64(segment);
        to.U32((uint)session.Slots.Count);
        foreach ((uint slot, (uint counter, Result result)) in session.Slots)
        {
            to.U32(slot);
            to.U32(counter);
            ResultCodec.Write(ref to, result);
        }
    }

    internal static CouncilMachine? ReadState(ref SpanReader from)
    {
        Guid id = from.Guid();
        uint generation = from.U32(), ringShards = from.U32();
        if (from.Failed || ringShards is < 2 or > 1 << 15) return null;
        var machine = new CouncilMachine(id, generation, (int)ringShards)
        {
            Decree = from.U64(),
            ViewDecree = from.U64(),
            _nextSession = from.U64(),
            _nextSegment = from.U64(),
            _nextToken = from.U64(),
            _nextDrop = from.U64(),
            _nextSilo = from.U16(),
            DefaultCopies = from.U8(),
        };
        return machine.ReadCouncil(ref from) && machine.ReadBlocks(ref from) && machine.ReadSilos(ref from) && machine.ReadShards(ref from)
            && machine.ReadSegments(ref from) && machine.ReadSessions(ref from) && machine.ReadSnapshots(ref from)
            && machine.Rebuild() ? machine : null;
    }

    private bool ReadBlocks(ref SpanReader from)
    {
        int count = from.U8();
        _blocks.Clear();
        for (int i = 0; i < count; i++) _blocks.Add(new ShardBlock(from.UpTo(SiloSet.Max), from.Bool()));
        return !from.Failed && DefaultCopies is > 0 and <= SiloSet.Max && count > 0 && _blocks[0] == new ShardBlock(1, false)
            && (long)(count - 1) * RingShards <= ushort.MaxValue;
    }

    private bool ReadSilos(ref SpanReader from)
    {
        int count = from.Count(8);
        for (int i = 0; i < count && !from.Failed; i++)
        {
            if (ViewCodec.ReadMember(ref from) is not { } member) return false;
            var silo = new SiloRecord(member) { Seat = from.U64() };
            int lives = from.Count(8);
            for (int life = 0; life < lives; life++) silo.PastLives.Add(new Incarnation(from.U64()));
            int drops = from.Count(AnswerCodec.DropBytes);
            for (int drop = 0; drop < drops; drop++) silo.Drops.Add(AnswerCodec.ReadDrop(ref from));
            if (!_silos.TryAdd(member.Id.Value, silo)) return false;
        }
        return !from.Failed;
    }

    private bool ReadShards(ref SpanReader from)
    {
        int count = from.Count(7);
        int last = (_blocks.Count - 1) * RingShards;
        if (count <= last || count > last + RingShards || (!_blocks[^1].Pinned && count != last + RingShards)) return false;
        _shards.Clear();
        for (int i = 0; i < count && !from.Failed; i++)
        {
            var shard = new ShardRecord { Epoch = from.U32(), State = (ShardState)from.UpTo((byte)ShardState.Lost), Replicas = ReadReplicas(ref from) };
            shard.PinnedTo = CommandCodec.ReadSilos(ref from);
            bool learns = false;
            for (int r = 0; r < shard.Replicas.Length; r++)
            {
                Replica replica = shard.Replicas[r];
                if (!_silos.TryGetValue(replica.Silo.Value, out SiloRecord? silo)) return false;
                if (shard.State == ShardState.Served && (!silo.Up || silo.Member.Incarnation != replica.Incarnation)) return false;
                for (int other = 0; other < r; other++)
                    if (shard.Replicas[other].Silo == replica.Silo) return false;
                if (learns || (r == 0 && replica.State != ReplicaState.InSync)) return false;
                learns = replica.State == ReplicaState.Learning;
            }
            if ((shard.State == ShardState.Unassigned) != (shard.Replicas.Length == 0)) return false;
            if (shard.PinnedTo.Count > 0 && !_blocks[i / RingShards].Pinned) return false;
            _shards.Add(shard);
        }
        return !from.Failed;
    }

    private static Replica[] ReadReplicas(ref SpanReader from)
    {
        var replicas = new Replica[from.UpTo(ViewCodec.ReplicasMax)];
        for (int i = 0; i < replicas.Length; i++)
            replicas[i] = new Replica(new SiloId(from.U16()), new Incarnation(from.U64()), (ReplicaState)from.UpTo((byte)ReplicaState.Learning));
        return replicas;
    }

    private bool ReadSegments(ref SpanReader from)
    {
        int count = from.Count(8 + 16);
        for (int i = 0; i < count && !from.Failed; i++)
        {
            var segment = new SegmentRecord
            {
                Id = new SegmentId(from.U64()),
                Key = from.U128(),
                Copies = from.U8(),
                Flags = (SegmentFlags)from.U16(),
                FirstShard = new ShardId(from.U16()),
                Owner = new SessionId(from.U64()),
                Size = from.I64(),
                Token = from.U64(),
                Writer = new SessionId(from.U64()),
            };
            int readers = from.Count(8);
            for (int reader = 0; reader < readers; reader++) segment.Readers.Add(from.U64());
            if (CheckSize(segment.Size) is not null || !HasShards(segment)) return false;
            if (!ExtentRuns.TryRead(ref from, Layout.ExtentsFor(segment.Size), out segment.Held)) return false;
            if (!_segments.TryAdd(segment.Id.Value, segment)) return false;
            if (!segment.IsAnonymous && !_byKey.TryAdd(segment.Key, segment)) return false;
        }
        return !from.Failed;
    }

    private bool HasShards(SegmentRecord segment)
    {
        if (segment.FirstShard.Value >= _shards.Count || segment.Copies is 0 or > SiloSet.Max) return false;
        ShardBlock block = _blocks[segment.FirstShard.Value / RingShards];
        return block.Pinned == ((segment.Flags & SegmentFlags.Pinned) != 0) && (block.Pinned || block.Copies == segment.Copies);
    }

    private bool ReadSessions(ref SpanReader from)
    {
        int count = from.Count(8 + 16);
        for (int i = 0; i < count && !from.Failed; i++)
        {
            var session = new SessionRecord
            {
                Id = new SessionId(from.U64()),
                Nonce = from.U128(),
                Tenant = from.String(),
                ClientName = from.String(),
                LeaseMs = (int)from.U32(),
            };
            int segments = from.Count(8);
            for (int segment = 0; segment < segments; segment++)
            {
                ulong number = from.U64();
                if (!_segments.ContainsKey(number)) return false;
                session.Segments.Add(number);
            }
            int slots = from.Count(8);
            for (int slot = 0; slot < slots; slot++)
            {
                uint number = from.U32(), counter = from.U32();
                if (ResultCodec.Read(ref from) is not { } result || !session.Slots.TryAdd(number, (counter, result))) return false;
            }
            if (!_sessions.TryAdd(session.Id.Value, session) || !_byNonce.TryAdd(session.Nonce, session)) return false;
        }
        return !from.Failed;
    }

    // Computes what wasn't written; false when the ledger would not balance.
    private bool Rebuild()
    {
        RecomputeTargets();
        foreach (SegmentRecord segment in _segments.Values)
        {
            if (segment.Writer.Value != 0 && !_sessions.ContainsKey(segment.Writer.Value)) return false;
            if (segment.Readers.Any(reader => !_sessions.ContainsKey(reader))) return false;
            CountHeld(segment, static (machine, shard, bytes) =>
            {
                ShardRecord record = machine._shards[shard.Value];
                record.Held++;
                record.Bytes += bytes;
                machine._shards[shard.Value] = record;
                if (record.State != ShardState.Served) return;
                foreach (Replica replica in record.Replicas) machine._silos[replica.Silo.Value].Charged += bytes;
            });
        }
        foreach (SiloRecord silo in _silos.Values)
        {
            silo.ToDrop = silo.Drops.Sum(static drop => drop.Bytes);
            foreach (Drop drop in silo.Drops)
                if (drop.IsShard) _shardDrops.Add((silo.Member.Id.Value, drop.Shard.Value));
            silo.Charged += silo.ToDrop;
            if (silo.Up && silo.Charged > silo.Member.Capacity) return false;
        }
        return true;
    }

    private void CountHeld(SegmentRecord segment, Action<CouncilMachine, ShardId, long> count)
    {
        foreach ((long first, long end) in segment.Held.Runs)
        {
            for (long extent = first; extent < end; extent++) count(this, ShardOf(segment, extent), segment.ChargeOf(extent, segment.Size));
        }
    }
}
