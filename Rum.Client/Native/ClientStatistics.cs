using System.Runtime.InteropServices;

namespace Rum.Native;

/// <summary><c>struct rum_client_counters</c>: what <see cref="LibRum.rum_client_statistics"/> fills; times in nanoseconds.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ClientStatistics
{
    internal long Faults;
    internal long ZeroFills;
    internal long PagesFetched;
    internal long PagesPrefetched;
    internal long Evictions;
    internal long WriteBacks;
    internal long Rescues;
    internal long Discards;
    internal long ResidentBytes;
    internal long CacheBytes;
    internal long PinnedBytes;
    internal long FaultsWaiting;
    internal long FaultP50Ns;
    internal long FaultP99Ns;
    internal long FaultP999Ns;
    internal long HeapObjects;
    internal long HeapBytes;
    internal long ChargedBytes;
}
