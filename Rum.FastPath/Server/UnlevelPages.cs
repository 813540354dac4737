using System.Runtime.InteropServices;
using Rum.Core;

namespace Rum.FastPath.Server;

/// <summary>Consecutive pages at one replica that others may have otherwise: the payload of ListPages' answers, 32 bytes each.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1, Size = Size)]
internal struct UnlevelPages
{
    /// <summary>Bytes of an entry.</summary>
    public const int Size = 32;

    public ulong Page;
    public ulong Token;
    public ulong Sequence;

    /// <summary>Above 1 only where all are zeros of this version.</summary>
    public uint Count;
    public uint Zero;

    public readonly PageVersion Version => new(Token, Sequence);
}
