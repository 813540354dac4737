using Rum.Core.Ring;

namespace Rum.Core.Council;

/// <summary>
/// The council's state machine: who is who, what exists, who may write, and the ledger of capacity. Deterministic: the same commands in the same
/// order give the same state and the same results, so a log of <see cref="Proposal"/>s is all that must be durable. Owned by one thread.
/// </summary>
public sealed partial class CouncilMachine
{
    private readonly SortedDictionary<ushort, SiloRecord> _silos = [];
    private readonly SortedDictionary<ulong, SegmentRecord> _segments = [];
    private readonly SortedDictionary<ulong, SessionRecord> _sessions = [];
    private readonly Dictionary<UInt128, SegmentRecord> _byKey = [];
    private readonly Dictionary<UInt128, SessionRecord> _byNonce = [];
    private readonly List<ShardRecord> _shards = [];

    // Block 0 keeps one copy; the others are made when the first segment asks for them.
    private readonly List<ShardBlock> _blocks = [new ShardBlock(1, false)];

    // Where each ring shard belongs, by block; follows from the members, so it isn't part of a snapshot.
    private readonly List<SiloSet[]> _targets = [];
    // Of the members that take shards: what the next one is made from.
    private HashRing? _ring;

    // Shards that a silo is still to drop; follows from its drops.
    private readonly HashSet<(ushort Silo, int Shard)> _shardDrops = [];
    private ClusterView? _view;

    private ulong _nextSession = 1;
    private ulong _nextSegment = 1;
    private ulong _nextToken = 1;
    private ulong _nextDrop = 1;
    private ushort _nextSilo = 1;

    /// <summary>The council of a newborn cluster: no member, all shards Unassigned.</summary>
    public CouncilMachine(Guid clusterId, uint generation = 1, int ringShards = Layout.DefaultShardCount)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(ringShards, 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ringShards, 1 << 15);
        ClusterId = clusterId;
        Generation = generation;
        RingShards = ringShards;
        for (int i = 0; i < ringShards; i++) _shards.Add(ShardRecord.Empty);
        RecomputeTargets();
    }

    /// <summary>The cluster, drawn at its birth.</summary>
    public Guid ClusterId { get; }

    /// <summary>Raised by <see cref="Refound"/>.</summary>
    public uint Generation { get; private set; }

    /// <summary>See <see cref="ClusterView.FrameGeneration"/>.</summary>
    public uint FrameGeneration => ClusterView.FrameGenerationOf(ClusterId, Generation, Restores);

    /// <summary>Restores into this cluster: each begins a new life of its memory.</summary>
    public uint Restores { get; private set; }

    /// <summary>Shards that the ring spreads.</summary>
    public int RingShards { get; }

    /// <summary>Copies of each page of segments that don't ask for a number.</summary>
    public byte DefaultCopies { get; private set; } = 1;

    /// <summary>The last decree applied.</summary>
    public ulong Decree { get; private set; }

    /// <summary>The last decree that changed a member or a shard.</summary>
    public ulong ViewDecree { get; private set; }

    /// <summary>Open sessions, by id.</summary>
    public IEnumerable<SessionId> Sessions => _sessions.Keys.Select(static id => new SessionId(id));

    /// <summary>The lease of a session in milliseconds, or false when it isn't open.</summary>
    public bool TryGetLease(SessionId session, out int leaseMs)
    {
        bool found = _sessions.TryGetValue(session.Value, out SessionRecord? record);
        leaseMs = record?.LeaseMs ?? 0;
        return found;
    }

    /// <summary>The cluster as of <see cref="ViewDecree"/>; the same object until it changes.</summary>
    public ClusterView View => _view ??= BuildView();

    /// <summary>Applies one command of a decree. The commands of one batch share their decree, which never falls.</summary>
    public Result Apply(ulong decree, Proposal proposal) => Apply(decree, proposal.Request, proposal.Command);

    /// <summary>Applies one command of a decree. The commands of one batch share their decree, which never falls.</summary>
    public Result Apply(ulong decree, RequestId request, Command command)
    {
        Invariant.Check(decree >= Decree);
        Decree = decree;
        SessionId speaker = command.Speaker;
        if (speaker != request.Session)
        {
            return Refuse(RumError.InvalidArgument, $"{command.GetType().Name} speaks for {speaker}, but its request id names {request.Session}.");
        }
        return speaker.Value == 0 ? Execute(command) : ExecuteOnce(request, command);
    }

    private Result ExecuteOnce(RequestId request, Command command)
    {
        if (!_sessions.TryGetValue(request.Session.Value, out SessionRecord? session)) return Refuse(RumError.SessionExpired, Ended(request.Session));
        if (request.Slot >= RequestId.MaxSlots)
        {
            return Refuse(RumError.InvalidArgument, $"request slot {request.Slot} is above the limit: a session has slots 0 to {RequestId.MaxSlots - 1}.");
        }
        if (session.Slots.TryGetValue(request.Slot, out (uint Counter, Result Result) last))
        {
            if (request.Counter == last.Counter) return last.Result;
            if (request.Counter < last.Counter)
            {
                return Refuse(RumError.InvalidArgument, $"request {request.Counter} of slot {request.Slot} was overtaken by request {last.Counter}.");
            }
        }
        Result result = Execute(command);
        session.Slots[request.Slot] = (request.Counter, result);
        return result;
    }

    private Result Execute(Command command) => command switch
    {
        Join join => Execute(join),
        Leave leave => Execute(leave),
        Suspect suspect => Execute(suspect),
        Resume resume => Execute(resume),
        Drain drain => Execute(drain),
        CaughtUp caughtUp => Execute(caughtUp),
        Configure configure => Execute(configure),
        Dropped dropped => Execute(dropped),
        OpenSession open => Execute(open),
        CloseSession close => EndSession(close.Session),
        Expire expire => EndSession(expire.Session),
        Allocate allocate => Execute(allocate),
        Open open => Execute(open),
        Close close => Execute(close),
        Resize resize => Execute(resize),
        ChargeExtents charge => Execute(charge),
        Free free => Execute(free),
        OfferSeat offer => Execute(offer),
        ChangeCouncil change => Execute(change),
        LimitCouncil limit => Execute(limit),
        BeginSnapshot begin => Execute(begin),
        CutSnapshot cut => Execute(cut),
        SavedSnapshot saved => Execute(saved),
        FailSnapshot fail => Execute(fail),
        DeleteSnapshot delete => Execute(delete),
        BeginRestore begin => Execute(begin),
        _ => Refuse(RumError.InvalidArgument, $"the council doesn't know the command {command.GetType().Name}."),
    };

    private Result Done() => new(RumError.None, "", Decree);

    private Result Refuse(RumError error, string message) => new(error, message, Decree);

    private static string Ended(SessionId session) =>
        $"{session} has ended: its lease ran out or it was closed. Its anonymous memory was freed; open a new session.";
}
