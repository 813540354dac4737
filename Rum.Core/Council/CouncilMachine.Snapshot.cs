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
        WriteCouncil(ref to);

        to.U32((uint)_silos.Count);
        foreach (SiloRecord silo in _silos.Values) WriteSilo(ref to, silo);
        to.U32((uint)_shards.Count);
        foreach (ShardRecord shard in _shards)
        {
            to.U32(shard.Epoch);
            to.U8((byte)shard.State);
            to.U16(shard.Silo.Value);
            to.U16(shard.PinnedTo.Value);
        }
        to.U32((uint)_segments.Count);
        foreach (SegmentRecord segment in _segments.Values) WriteSegment(ref to, segment);
        to.U32((uint)_sessions.Count);
        foreach (SessionRecord session in _sessions.Values) WriteSession(ref to, session);
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
        };
        return machine.ReadCouncil(ref from) && machine.ReadSilos(ref from) && machine.ReadShards(ref from) && machine.ReadSegments(ref from) && machine.ReadSessions(ref from)
            && machine.Rebuild() ? machine : null;
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
        int count = from.Count(9);
        if (count < RingShards || count > ushort.MaxValue + 1) return false;
        _shards.Clear();
        for (int i = 0; i < count && !from.Failed; i++)
        {
            var shard = new ShardRecord
            {
                Epoch = from.U32(),
                State = (ShardState)from.UpTo((byte)ShardState.Lost),
                Silo = new SiloId(from.U16()),
                PinnedTo = new SiloId(from.U16()),
            };
            bool up = _silos.TryGetValue(shard.Silo.Value, out SiloRecord? silo) && silo.Up;
            if (up != (shard.State == ShardState.Served)) return false;
            _shards.Add(shard);
        }
        return !from.Failed;
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
            if (CheckSize(segment.Size) is not null || segment.FirstShard.Value >= _shards.Count) return false;
            if (!ExtentRuns.TryRead(ref from, Layout.ExtentsFor(segment.Size), out segment.Held)) return false;
            if (!_segments.TryAdd(segment.Id.Value, segment)) return false;
            if (!segment.IsAnonymous && !_byKey.TryAdd(segment.Key, segment)) return false;
        }
        return !from.Failed;
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
        RecomputeTarget();
        foreach (SegmentRecord segment in _segments.Values)
        {
            if (segment.Writer.Value != 0 && !_sessions.ContainsKey(segment.Writer.Value)) return false;
            if (segment.Readers.Any(reader => !_sessions.ContainsKey(reader))) return false;
            CountHeld(segment, static (machine, shard, bytes) =>
            {
                ShardRecord record = machine._shards[shard.Value];
                record.Held++;
                machine._shards[shard.Value] = record;
                if (record.State == ShardState.Served) machine._silos[record.Silo.Value].Charged += bytes;
            });
        }
        foreach (SiloRecord silo in _silos.Values)
        {
            silo.ToDrop = silo.Drops.Sum(static drop => drop.Bytes);
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
