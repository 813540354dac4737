using Rum.Core;

namespace Rum.FastPath.Client;

/// <summary>Where a request stands.</summary>
internal enum RequestState : byte
{
    /// <summary>In the free list.</summary>
    Free,

    /// <summary>Waits for credit or for room in the driver: in its peer's queue.</summary>
    Queued,

    /// <summary>Sent: in its peer's sent list, the least recently sent first.</summary>
    Sent,

    /// <summary>A writer's request that waits until its token is recorded at the silo; in no list.</summary>
    Fencing,

    /// <summary>No silo can take it now: in the parked list.</summary>
    Parked,

    /// <summary>A change of a page that has several replicas: its legs, one for each, are under way; in no list.</summary>
    Spread,

    /// <summary>A read that finds its pages in the silo's own memory, at the next poll: in the direct list.</summary>
    Direct,

    /// <summary>Ended without success, waits to be reported: in the failing list.</summary>
    Failing,
}

/// <summary>A request's kind; Fence and List are the client's own.</summary>
internal enum RequestKind : byte
{
    Read = PageOperation.Read,
    Write = PageOperation.Write,
    Trim = PageOperation.Trim,
    Fence,
    List,
}

/// <summary>An outstanding request. Lists are chained by slot numbers, -1 ends them.</summary>
internal unsafe struct RequestSlot
{
    public ulong Cookie;
    public byte* Image;
    public byte* Into;             // reads: where the pages may be put; null: nowhere
    public ulong Segment;
    public ulong Page;
    public ulong Token;
    public ulong Sequence;
    public ulong Pending;          // reads: a bit per page that has not come
    public ulong Missing;          // writes in fragments: what the silo said last that it misses, 0: nothing yet
    public long SentNs, FirstSentNs;
    public uint Counter;           // raised at each new request in the slot
    public uint Epoch;
    public int Next, Previous;     // in the list that State names
    public int NextWrite, PreviousWrite;
    public int FirstAssembly;
    public int Peer;               // -1: none
    public int Parent;             // of a leg: the change; -1 for all others
    public int FirstLeg, NextLeg;  // a change's legs that aren't acknowledged yet; a leg's sister
    public int Cost;               // pages that it takes of the peer's credits while sent
    public ushort Count;
    public ushort Shard, FirstShard;
    public SegmentFlags Flags;
    public PageStatus Failure;
    public RequestState State;
    public RequestKind Kind;
    public bool Loses;             // a trim that says that an extent is lost
    public bool Resent;            // after a time-out: its round trip measures nothing
    public byte Probes;            // how often it was sent on suspicion
    public bool Others;            // a read that another replica could answer too
    public byte Moves;             // how often a read went to another replica
    public byte Replica;           // of a leg: which one
    public bool TakesOver;         // of a take-over, which its cookie names: nobody else hears of its end
    public bool Unlevel;           // its segment isn't level yet, so that nothing of it is confirmed
    public ulong From;             // a read of this life of a silo and no other, while that is in sync; 0: of any
}

/// <summary>A list of slots.</summary>
internal struct SlotList
{
    public int First, Last;

    public static readonly SlotList Empty = new() { First = -1, Last = -1 };
}
