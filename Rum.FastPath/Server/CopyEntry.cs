using System.Runtime.InteropServices;
using Rum.Core;

namespace Rum.FastPath.Server;

/// <summary>A segment, or one of its extents, as a replica tells a learner of it: the payload of list answers, 40 bytes each.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1, Size = Size)]
internal struct CopyEntry
{
    /// <summary>Bytes of an entry.</summary>
    public const int Size = 40;

    public ulong Segment;
    public ulong Fence;
    public ulong FloorToken;
    public ulong FloorSequence;
    public uint Extent;
    public uint Sparse;

    public readonly PageVersion Floor => new(FloorToken, FloorSequence);
}
