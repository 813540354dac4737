namespace Rum;

/// <summary>
/// Settings of <see cref="RumClient"/>. What is null comes from the environment variable named with it, else the default.
/// One process has one session: clients with equal settings share it, others are refused with <see cref="RumConfigurationException"/>.
/// </summary>
public sealed record RumClientOptions
{
    /// <summary>The smallest <see cref="CacheBytes"/>, 1 MiB.</summary>
    public const long MinCacheBytes = 1L << 20;

    /// <summary>The largest <see cref="CacheBytes"/>, 1 TiB.</summary>
    public const long MaxCacheBytes = 1L << 40;

    /// <summary>Path of the machines file (<c>RUM_MACHINES</c>); default: the local dev silo at 127.0.0.1:7400.</summary>
    public string? Machines { get; set; }

    /// <summary>
    /// Who carries this process's commands to the council, as ip:port (<c>RUM_COMMANDS</c>); default: the silos do. A control plane sets it
    /// (<see cref="IRumControlPlane"/>).
    /// </summary>
    public string? Commands { get; set; }

    /// <summary>Bytes of local memory for pages, kept exactly (<c>RUM_CACHE</c>); default 64 MiB.</summary>
    public long? CacheBytes { get; set; }

    /// <summary>How pages travel (<c>RUM_TRANSPORT</c>); default automatic.</summary>
    public RumTransport? Transport { get; set; }

    /// <summary>With <see cref="RumTransport.Dpdk"/>: EAL arguments and, behind "--", the driver's own (<c>RUM_DPDK</c>); see docs/DPDK.md.</summary>
    public string? Dpdk { get; set; }

    /// <summary>How pages get into the program (<c>RUM_PAGER</c>); default automatic.</summary>
    public RumPaging? Paging { get; set; }

    /// <summary>Who resolves faults (<c>RUM_FAULT</c>); default <see cref="RumFaults.Handler"/>.</summary>
    public RumFaults? Faults { get; set; }

    /// <summary>
    /// After this a page that can't be had is given up (<c>RUM_FAULT_TIMEOUT</c>): calls throw, a plain load ends the process with SIGBUS.
    /// <see cref="Timeout.InfiniteTimeSpan"/>: wait for ever, like a hard network mount. Default infinite.
    /// </summary>
    public TimeSpan? FaultTimeout { get; set; }

    /// <summary>Without heartbeats for so long the silos end the session (<c>RUM_LEASE</c>); default 10 s, at least 1 s.</summary>
    public TimeSpan? Lease { get; set; }

    /// <summary>
    /// Threads that wait for absent pages on behalf of asynchronous calls, started when needed; default 64. So many calls can wait at once,
    /// the others queue behind them.
    /// </summary>
    public int WaitThreads { get; set; } = 64;

    /// <summary>What is wrong, for a person; empty when nothing is.</summary>
    internal IEnumerable<string> Problems()
    {
        if (Machines is "") yield return "Machines is empty: leave it null for the local dev silo, or name a machines file.";
        if (Commands is not null && !System.Net.IPEndPoint.TryParse(Commands, out _)) yield return $"Commands is '{Commands}': it must be ip:port, or null.";
        if (CacheBytes is < MinCacheBytes or > MaxCacheBytes) yield return $"CacheBytes is {CacheBytes}: it must be from {MinCacheBytes} (1 MiB) to {MaxCacheBytes} (1 TiB).";
        if (Transport is { } transport && !Enum.IsDefined(transport)) yield return $"Transport is {(int)transport}: it must be Auto, SharedMemory, Udp or Dpdk.";
        if (Paging is { } paging && !Enum.IsDefined(paging)) yield return $"Paging is {(int)paging}: it must be Auto, Move or Copy.";
        if (Faults is { } faults && !Enum.IsDefined(faults)) yield return $"Faults is {(int)faults}: it must be Handler or Inline.";
        if (FaultTimeout is { } timeout && timeout != Timeout.InfiniteTimeSpan && (timeout < TimeSpan.FromMilliseconds(1) || timeout > TimeSpan.FromDays(1))) yield return $"FaultTimeout is {timeout}: it must be from a millisecond to a day, or infinite.";
        if (Lease is { } lease && (lease < TimeSpan.FromSeconds(1) || lease > TimeSpan.FromHours(1))) yield return $"Lease is {lease}: it must be from 1 s to 1 h.";
        if (WaitThreads is < 1 or > 1024) yield return $"WaitThreads is {WaitThreads}: it must be from 1 to 1024.";
    }
}
