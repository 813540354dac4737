using System.Runtime.InteropServices;

namespace Rum.Native;

/// <summary><c>struct rum_client_segment</c>: a segment as it is mapped now.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct MappedSegment
{
    /// <summary>Its first byte.</summary>
    internal nint Address;

    /// <summary>Its length in bytes.</summary>
    internal long Length;

    /// <summary>Its number in the cluster.</summary>
    internal ulong Id;

    /// <summary>1: stores fail.</summary>
    internal int ReadOnly;

    /// <summary>Keeps the size a multiple of 8.</summary>
    internal int Reserved;
}
