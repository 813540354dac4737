using System.Runtime.InteropServices;
using Rum.Core;

namespace Rum.FastPath.Server;

/// <summary>A segment, or one of its extents, as a replica tells a learner of it: the payload of list answers, 56 bytes each.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1, Size = Size)]
internal struct CopyEntry
{
    /// <summary>Bytes of an entry.</summary>
    public const int Size = 56;

    public ulong Segment;
    public ulong Fence;
    public ulong FloorToken;
    public ulong FloorSequence;
    public ulong ConfirmedToken;
    public ulong ConfirmedSequence;
    public uint Extent;

    /// <summary>1: the segment is sparse. <see cref="Lost"/>: the extent is lost.</summary>
    public uint Sparse;

    /// <summary>See <see cref="Sparse"/>.</summary>
    public const uint Lost = 2;

    public readonly PageVersion Floor => new(FloorToken, FloorSequence);

    public readonly PageVersion Confirmed => new(ConfirmedToken, ConfirmedSequence);
}
