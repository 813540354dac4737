using Rum.Core;

namespace Rum.FastPath.Client;

/// <summary>
/// A segment that is being taken over from its former writers: which silos have recorded the token, and what they say that they have above the confirmed mark. A
/// shard is done when all its replicas have answered in one epoch of it: who becomes a replica later learns both from one of them.
/// </summary>
internal sealed class TakeOver(in SegmentHandle segment, long pages, ulong cookie, int shards)
{
    /// <summary>How far a silo is.</summary>
    internal enum Step : byte
    {
        ToFence,
        ToList,
        Asked,
        Done,
        Gone,
    }

    internal struct Silo
    {
        public ulong Incarnation;
        public ulong Decree;      // of its view at its last answer
        public ulong Cursor;
        public long RetryNs;
        public Step Step;
        public bool Lists;        // has a shard with other replicas
    }

    private readonly SegmentHandle _segment = segment;

    public SegmentHandle Segment => _segment;

    public long Pages => pages;

    public ulong Cookie => cookie;

    /// <summary>By the order of the segment's extents: whether all is known of the shard.</summary>
    public bool[] Done { get; } = new bool[shards];

    /// <summary>Their epochs in the view of this round.</summary>
    public uint[] Epochs { get; } = new uint[shards];

    public int Left { get; set; } = shards;

    /// <summary>The view of this round; 0: none began.</summary>
    public ulong Decree { get; set; }

    /// <summary>The last view by which it was looked which silos are needed still.</summary>
    public ulong Seen { get; set; }

    public List<Silo> Silos { get; } = [];

    public LevelPlan Plan { get; } = new();

    /// <summary>Every silo has recorded the token; what they have above the mark is being made equal.</summary>
    public bool Levels { get; set; }

    /// <summary>Pieces of the plan that are under way, and the next one.</summary>
    public int UnderWay { get; set; }

    public int Next { get; set; }

    public PageStatus Failure { get; set; }

    /// <summary>When it is to be looked at again, whatever comes.</summary>
    public long DueNs { get; set; }

    /// <summary>When to say again that the view may be out of date.</summary>
    public long StaleNs { get; set; }

    public int FindSilo(ulong incarnation)
    {
        for (int i = 0; i < Silos.Count; i++)
            if (Silos[i].Incarnation == incarnation) return i;
        return -1;
    }
}
