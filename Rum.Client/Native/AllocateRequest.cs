using System.Runtime.InteropServices;

namespace Rum.Native;

/// <summary><c>struct rum_client_allocation</c>: what <see cref="LibRum.rum_client_allocate"/> is asked for.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct AllocateRequest
{
    /// <summary>Bytes.</summary>
    internal long Bytes;

    /// <summary>The key's upper half; both halves zero: anonymous.</summary>
    internal ulong KeyHigh;

    /// <summary>The key's lower half.</summary>
    internal ulong KeyLow;

    /// <summary>As in rum.h: 1 sparse, 2 racks, copies from bit 8 on.</summary>
    internal int Flags;

    /// <summary>The silos to stay on, those that there are in front; 0 for none.</summary>
    internal ushort Silo0, Silo1, Silo2, Silo3, Silo4;
}
