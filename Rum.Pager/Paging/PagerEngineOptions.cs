namespace Rum.Pager.Paging;

/// <summary>Settings of the engine.</summary>
public sealed record PagerEngineOptions
{
    /// <summary>Local pages in all: slots, landing buffers and resident pages. At least 16.</summary>
    public required int CachePages { get; init; }

    /// <summary>After this a fault ends in SIGBUS; 0: never.</summary>
    public long FaultTimeoutNs { get; init; }

    /// <summary>After this a fault on a page of a freed segment ends in SIGBUS, if that is sooner.</summary>
    public long GoneTimeoutNs { get; init; } = 10_000_000_000;

    /// <summary>
    /// How long a segment that had a writer before is waited for until all its silos know the new one, where <see cref="FaultTimeoutNs"/> says for ever: a call
    /// can say what an access can only wait for.
    /// </summary>
    public long TakeOverTimeoutNs { get; init; } = 15_000_000_000;

    /// <summary>Pages evicted at once; 16 where each send costs a system call, else 1.</summary>
    public int EvictionBatch { get; init; } = 1;

    /// <summary>The largest read-ahead window in pages, at most 64; 0 switches read-ahead off.</summary>
    public int WindowPages { get; init; } = 64;

    /// <summary>Key of the dirty hash, drawn at random per process.</summary>
    public ulong HashKey { get; init; } = 0x9E3779B97F4A7C15;

    /// <summary>For tests that prove that they would notice: the engine then loses updates on purpose.</summary>
    public PagerDefect Defect { get; init; }
}

/// <summary>Deliberate defects, which the lost-update stress must catch before its verdict counts.</summary>
public enum PagerDefect
{
    /// <summary>None.</summary>
    None,

    /// <summary>A page is absent as soon as it is moved out, before its write is acknowledged.</summary>
    AbsentAtMoveOut,

    /// <summary>The dirty hash has 4 bits.</summary>
    ShortHash,
}
