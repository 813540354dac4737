using Rum.Core;
using Rum.Core.Council;
using Result = Rum.Core.Council.Result;

namespace Rum.Tests.Unit.Core;

/// <summary>Draws every kind of message from a seed, edges included.</summary>
internal sealed class RandomCouncil(int seed)
{
    private readonly Random _random = new(seed);

    public CouncilRequest Request() => _random.Next(27) switch
    {
        0 => new GetView(U64()),
        1 => new GetDrops(Silo(), Life(), U64()),
        2 => new Heartbeat(Session()),
        3 => new SiloHeartbeat(Silo(), Life(), U64()),
        4 => new Describe(),
        5 => new ListSegments(Segment(), (int)U64()),
        6 => new ShowSegment(U128(), Segment()),
        7 => new ListSessions(Session(), (int)U64()),
        8 => new Audit([.. Enumerable.Range(0, _random.Next(CouncilMachine.AuditMax + 1)).Select(_ => Segment())]),
        9 => new AuditExtents([.. Enumerable.Range(0, _random.Next(CouncilMachine.AuditMax + 1)).Select(_ => new ExtentId(Segment(), (uint)U64()))]),
        10 => new ListSnapshots(),
        11 => new GetSnapshotDuty(U64(), Silo(), Segment()),
        12 => new DoubtSilo(Silo(), Life()),
        _ => new CommandRequest(new RequestId(Session(), (uint)U64(), (uint)U64()), Command()),
    };

    public Command Command() => _random.Next(22) switch
    {
        0 => new Join(Member()),
        1 => new Leave(Silo(), Life()),
        2 => new Dropped(Silo(), Life(), U64()),
        3 => new OpenSession(U128(), Text(), Text(), (int)U64()),
        4 => new CloseSession(Session()),
        5 => new Allocate(Session(), U128(), (long)U64(), (byte)U64(), (SegmentFlags)U64(), Silos()),
        6 => new Open(Session(), U128(), (OpenMode)_random.Next(3)),
        7 => new Close(Session(), Segment()),
        8 => new Resize(Session(), Segment(), (long)U64()),
        9 => new ChargeExtents(Session(), Segment(), (long)U64(), (int)U64(), Bool()),
        10 => new Suspect(Silo(), Life()),
        11 => new Resume(Silo(), Life()),
        12 => new Drain(Silo(), Bool()),
        13 => new CaughtUp(Silo(), Life(), new ShardId((ushort)U64()), (uint)U64()),
        14 => new Configure((byte)U64()),
        15 => new BeginSnapshot(Text(), (long)U64()),
        16 => new CutSnapshot(U64(), U64(), U64(), U64(), (uint)U64()),
        17 => new SavedSnapshot(U64(), Silo(), Life(), (long)U64(), (long)U64()),
        18 => new FailSnapshot(U64(), Text()),
        19 => new DeleteSnapshot(U64()),
        20 => new BeginRestore(Bool(), (uint)U64()),
        _ => new Free(Session(), Segment(), U128()),
    };

    public CouncilAnswer Answer()
    {
        var error = (RumError)_random.Next(24);
        string message = Text();
        ulong decree = U64(), view = U64();
        return _random.Next(11) switch
        {
            0 => new CouncilAnswer(error, message, decree, view),
            1 => new CommandAnswer(error, message, decree, view, Result()),
            2 => new ViewAnswer(error, message, decree, view, Bool() ? View() : null),
            3 => new DropsAnswer(error, message, decree, view, Many(20, () => new Drop(U64(), Segment(), _random.NextInt64(), 0, Bool(), _random.Next())), Bool()),
            4 => new SiloHeartbeatAnswer(error, message, decree, view, U64()),
            5 => new StatusAnswer(error, message, decree, view, Status()),
            6 => new SegmentsAnswer(error, message, decree, view, Many(20, Info), Bool()),
            8 => new SnapshotsAnswer(error, message, decree, view, Many(5, Snapshot)),
            9 => new SnapshotDutyAnswer(
                error, message, decree, view, Many(20, () => new SnapshotSegment(Segment(), U128(), (long)U64(), (SegmentFlags)U64(), (byte)U64(), Shards())), Bool(), Many(20, Shards),
                Many(20, Shards)),
            7 => new SegmentAnswer(error, message, decree, view, Bool() ? Details() : null),
            _ => new SessionsAnswer(error, message, decree, view, Many(20, () => new SessionInfo(Session(), Text(), Text(), (int)U64(), (long)U64(), (int)U64())), Bool()),
        };
    }

    public Result Result() => _random.Next(4) switch
    {
        0 => new Result((RumError)_random.Next(24), Text(), U64()),
        1 => new SessionResult((RumError)_random.Next(24), Text(), U64(), Session(), (int)U64()),
        2 => new JoinResult((RumError)_random.Next(24), Text(), U64(), Silo()),
        _ => new SegmentResult((RumError)_random.Next(24), Text(), U64(), Segment(), U128(), (long)U64(), U64(), new ShardId((ushort)U64()), (SegmentFlags)U64()),
    };

    public ClusterView View()
    {
        int ring = _random.Next(2, 40);
        return new ClusterView(
            Guid(), (uint)U64(), U64(), Many(5, Member), [.. Enumerable.Range(0, ring + _random.Next(4)).Select(_ => Shard())], ring);
    }

    private ShardView Shard()
    {
        var state = (ShardState)_random.Next(3);
        IReadOnlyList<Replica> replicas = state == ShardState.Served
            ? [.. Enumerable.Range(0, _random.Next(1, 8)).Select(_ => new Replica(Silo(), Life(), (ReplicaState)_random.Next(2)))]
            : [];
        return new ShardView((uint)U64(), state, replicas);
    }

    private Member Member() =>
        new(Silo(), Text(), Life(), Text(), Text(), Text(), Text(), Text(), Text(), _random.NextInt64(), Bool()) { State = (MemberState)_random.Next(4) };

    private ClusterStatus Status() => new(
        Guid(), (uint)U64(), U64(), (int)U64(), (int)U64(), (int)U64(), (int)U64(), (int)U64(), (int)U64(),
        Many(5, () => new MemberStatus(Member(), (long)U64(), (long)U64(), (int)U64(), (int)U64())
        {
            SilentMs = (long)U64(),
            Learning = (int)U64(),
            Alone = (int)U64(),
        }))
    {
        Copies = _random.Next(6),
        Learning = (int)U64(),
        Incomplete = (int)U64(),
        Snapshot = Bool() ? Snapshot() : null,
        LastSnapshot = Bool() ? Snapshot() : null,
    };

    private SnapshotInfo Snapshot() => new(
        U64(), Text(), (long)U64(), (SnapshotState)_random.Next(4), Text(), U64(), (int)U64(), (long)U64(), (int)U64(),
        Many(5, () => new SnapshotPart(Silo(), Text(), (int)U64(), Bool(), (long)U64(), (long)U64())))
    { HeldUs = (uint)U64() };

    private ShardId Shards() => new((ushort)U64());

    private SegmentInfo Info() =>
        new(Segment(), U128(), (long)U64(), (SegmentFlags)U64(), (byte)U64(), Session(), Session(), (int)U64(), (long)U64());

    private SegmentDetails Details() =>
        new(Info(), U64(), new ShardId((ushort)U64()), Many(10, () => new SegmentPlace(Silo(), (long)U64(), (long)U64())));

    private T[] Many<T>(int max, Func<T> one) => [.. Enumerable.Range(0, _random.Next(max)).Select(_ => one())];

    private ulong U64() => _random.Next(8) switch
    {
        0 => 0,
        1 => ulong.MaxValue,
        2 => (ulong)_random.Next(256),
        _ => (ulong)_random.NextInt64() >> _random.Next(63),
    };

    private UInt128 U128() => new(U64(), U64());

    private Guid Guid() { byte[] bytes = new byte[16]; _random.NextBytes(bytes); return new Guid(bytes); }

    private bool Bool() => _random.Next(2) == 0;

    private string Text() => _random.Next(3) == 0 ? "" : new string([.. Enumerable.Range(0, _random.Next(40)).Select(_ => (char)_random.Next(1, 0x500))]);

    private SessionId Session() => new(U64());

    private SegmentId Segment() => new(U64());

    private SiloId Silo() => new((ushort)U64());

    private SiloSet Silos() =>
        SiloSet.Of([.. Enumerable.Range(0, _random.Next(SiloSet.Max + 1)).Select(i => new SiloId((ushort)((_random.Next(1, 1000) * 8) + i)))]);

    private Incarnation Life() => new(U64());
}
