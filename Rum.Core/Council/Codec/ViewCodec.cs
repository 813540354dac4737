using Rum.Core.Wire;

namespace Rum.Core.Council.Codec;

/// <summary>
/// Views as bytes. A view travels in fragmented control frames, so a shard takes 3 to 6 bytes: lives of silos stand in a table, shards name them by
/// index.
/// </summary>
public static class ViewCodec
{
    private const byte Version = 2;

    /// <summary>The most replicas of a shard.</summary>
    public const int ReplicasMax = 7;

    // state (2 bits), replica count (3 bits)
    private const int CountShift = 2;
    private const int StateMask = (1 << CountShift) - 1;

    /// <summary>Writes a view.</summary>
    public static void Write(ref SpanWriter to, ClusterView view)
    {
        to.U8(Version);
        to.Guid(view.ClusterId);
        to.U32(view.Generation);
        to.U32(view.Restores);
        to.U64(view.Decree);
        to.U32((uint)view.RingShards);
        to.U32((uint)view.Members.Count);
        foreach (Member member in view.Members) WriteMember(ref to, member);

        var lives = new Dictionary<(SiloId, Incarnation), int>();
        foreach (ShardView shard in view.Shards)
        {
            foreach (Replica replica in shard.Replicas) lives.TryAdd((replica.Silo, replica.Incarnation), lives.Count);
        }
        to.U32((uint)lives.Count);
        // In the order of their indexes, which is that of their insertion; nothing was ever removed.
        foreach ((SiloId silo, Incarnation incarnation) in lives.Keys)
        {
            to.U16(silo.Value);
            to.U64(incarnation.Value);
        }

        to.U32((uint)view.Shards.Count);
        foreach (ShardView shard in view.Shards)
        {
            Invariant.Check(shard.Replicas.Count <= ReplicasMax);
            to.U8((byte)((int)shard.State | (shard.Replicas.Count << CountShift)));
            to.Var(shard.Epoch);
            foreach (Replica replica in shard.Replicas) to.Var(((ulong)lives[(replica.Silo, replica.Incarnation)] << 1) | (byte)replica.State);
        }
    }

    /// <summary>Reads a view; null when the bytes are none.</summary>
    public static ClusterView? Read(ref SpanReader from)
    {
        if (from.U8() != Version) from.Fail();
        Guid id = from.Guid();
        uint generation = from.U32(), restores = from.U32();
        ulong decree = from.U64();
        uint ringShards = from.U32();
        if (ringShards is < 2 or > ushort.MaxValue + 1) from.Fail();

        var members = new Member[from.Count(MemberBytesMin)];
        for (int i = 0; i < members.Length; i++)
        {
            if (ReadMember(ref from) is not { } member) return null;
            members[i] = member;
        }

        var lives = new (SiloId Silo, Incarnation Incarnation)[from.Count(10)];
        for (int i = 0; i < lives.Length; i++) lives[i] = (new SiloId(from.U16()), new Incarnation(from.U64()));

        var shards = new ShardView[from.Count(2)];
        if (from.Failed || shards.Length < ringShards || shards.Length > ushort.MaxValue + 1) from.Fail();
        // Most shards have one in-sync replica: those share their list.
        var single = new Replica[lives.Length][];
        for (int i = 0; i < shards.Length && !from.Failed; i++) shards[i] = ReadShard(ref from, lives, single);
        return from.Failed ? null : new ClusterView(id, generation, decree, members, shards, (int)ringShards) { Restores = restores };
    }

    private static ShardView ReadShard(ref SpanReader from, (SiloId Silo, Incarnation Incarnation)[] lives, Replica[][] single)
    {
        int head = from.U8();
        int count = head >> CountShift;
        int state = head & StateMask;
        ulong epoch = from.Var();
        if (count > ReplicasMax || state > (int)ShardState.Lost || epoch > uint.MaxValue) from.Fail();
        if (state == (int)ShardState.Unassigned && count > 0 || state == (int)ShardState.Served && count == 0) from.Fail();
        if (from.Failed) count = 0;
        Replica[] replicas = count == 0 ? [] : new Replica[count];
        for (int i = 0; i < count; i++)
        {
            ulong packed = from.Var();
            if (from.Failed || packed >> 1 >= (ulong)lives.Length) { from.Fail(); break; }
            int life = (int)(packed >> 1);
            replicas[i] = new Replica(lives[life].Silo, lives[life].Incarnation, (ReplicaState)(packed & 1));
            if (count == 1 && replicas[0].State == ReplicaState.InSync) replicas = single[life] ??= replicas;
        }
        return new ShardView((uint)epoch, (ShardState)state, replicas);
    }

    // Two numbers, seven empty strings, capacity, two bytes.
    private const int MemberBytesMin = 2 + 8 + (7 * 2) + 8 + 2;

    internal static void WriteMember(ref SpanWriter to, Member member)
    {
        to.U16(member.Id.Value);
        to.U64(member.Incarnation.Value);
        to.String(member.Name);
        to.String(member.Endpoint);
        to.String(member.Http);
        to.String(member.SharedMemory);
        to.String(member.HostId);
        to.String(member.Mac);
        to.String(member.Label);
        to.I64(member.Capacity);
        to.Bool(member.Council);
        to.U8((byte)member.State);
    }

    internal static Member? ReadMember(ref SpanReader from)
    {
        ushort id = from.U16();
        var incarnation = new Incarnation(from.U64());
        var member = new Member(
            new SiloId(id), from.String(), incarnation, from.String(), from.String(), from.String(), from.String(), from.String(), from.String(),
            from.I64(), from.Bool())
        {
            State = (MemberState)from.UpTo((byte)MemberState.Silent),
        };
        if (member.Capacity < 0) from.Fail();
        return from.Failed ? null : member;
    }
}
