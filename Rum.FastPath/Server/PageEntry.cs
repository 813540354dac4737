using Rum.Core;

namespace Rum.FastPath.Server;

/// <summary>
/// What a replica knows of one page, 24 bytes: |frame|token|sequence|. Frame 0: reads as zeros; the version stays, so that no late
/// duplicate of an older write brings the page back.
/// </summary>
internal struct PageEntry
{
    /// <summary>Bytes of an entry.</summary>
    public const int Size = 24;

    public ulong Frame;
    public ulong Token;
    public ulong Sequence;

    public readonly PageVersion Version => new(Token, Sequence);
}
