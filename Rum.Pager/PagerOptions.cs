using Rum.FastPath.Tracing;
using Rum.Pager.Paging;

namespace Rum.Pager;

/// <summary>Settings of a pager.</summary>
public sealed record PagerOptions
{
    /// <summary>Local memory for pages, kept exactly. At least 64 KiB.</summary>
    public long CacheBytes { get; init; } = 64L << 20;

    /// <summary>How pages get in and out.</summary>
    public PagerMode Mode { get; init; }

    /// <summary>Who resolves faults.</summary>
    public FaultMode Faults { get; init; }

    /// <summary>After this a fault ends in SIGBUS; zero: never.</summary>
    public TimeSpan FaultTimeout { get; init; }

    /// <summary>
    /// How long an access to a page of a freed segment waits before it ends in SIGBUS, if that is sooner: meanwhile a session that expired is told so, and
    /// its pages are unmapped.
    /// </summary>
    public TimeSpan GoneTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Pages evicted at once: 16 where each send costs a system call, else 1.</summary>
    public int EvictionBatch { get; init; } = 1;

    /// <summary>The largest read-ahead window in pages (0 to 64).</summary>
    public int WindowPages { get; init; } = 64;

    /// <summary>Keeps the pager thread on the CPU of the faulting thread where both may run there.</summary>
    public bool FollowFaults { get; init; } = true;

    /// <summary>Where messages go; standard error by default. Called by the pager thread.</summary>
    public Action<string>? Log { get; init; }

    /// <summary>Names shard and silo of a page for messages; without it only segment and page are named. Called by the pager thread.</summary>
    public Func<FastPath.Client.SegmentHandle, long, string>? Describe { get; init; }

    /// <summary>Where the pager thread notes the moments of a fault; null: nowhere. For benchmarks.</summary>
    public StageTrace? Trace { get; init; }

    /// <summary>For tests only.</summary>
    public PagerDefect Defect { get; init; }
}
