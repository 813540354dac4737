using System.Runtime.InteropServices;
using Rum.Core;

namespace Rum.Pager.Abi;

// The structures of Exports.Client.cs. The same fields in the same order as in Rum.Client/Native; a test of the .NET API compares their sizes.

/// <summary>What rum_client_allocate is asked for.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ClientAllocation
{
    internal long Bytes;
    internal ulong KeyHigh;
    internal ulong KeyLow;
    internal int Flags;
    internal ushort Silo0;
    internal ushort Silo1;
    internal ushort Silo2;
    internal ushort Silo3;
    internal ushort Silo4;

    internal readonly SiloSet Silos() => new(new SiloId(Silo0), new SiloId(Silo1), new SiloId(Silo2), new SiloId(Silo3), new SiloId(Silo4));
}

/// <summary>A segment as it is mapped.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ClientSegment
{
    internal nint Address;
    internal long Length;
    internal ulong Id;
    internal int ReadOnly;
    internal int Reserved;
}

/// <summary>Counters and gauges; times in nanoseconds.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ClientCounters
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
