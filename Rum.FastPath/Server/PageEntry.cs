using Rum.Core;
using Rum.FastPath.Direct;

namespace Rum.FastPath.Server;

/// <summary>
/// What a replica knows of one page, 24 bytes: |word|token|sequence|. Frame 0: reads as zeros; the version stays, so that no late
/// duplicate of an older write brings the page back. Clients of this host may look at it at any moment: see <see cref="WindowLayout"/>.
/// </summary>
internal struct PageEntry
{
    /// <summary>Bytes of an entry.</summary>
    public const int Size = 24;

    /// <summary>|busy 1|changes 31|frame 32|.</summary>
    public ulong Word;
    public ulong Token;
    public ulong Sequence;

    public readonly uint Frame => (uint)Word;

    public readonly PageVersion Version => new(Token, Sequence);

    /// <summary>Swaps in a frame. The old one may be filled again only afterwards.</summary>
    public void Replace(PageVersion version, uint frame)
    {
        ulong changes = ((Word >> WindowLayout.ChangesShift) + 1) << WindowLayout.ChangesShift & ~WindowLayout.Busy;
        Volatile.Write(ref Word, Word | WindowLayout.Busy);
        Volatile.Write(ref Token, version.Token);
        Volatile.Write(ref Sequence, version.Sequence);
        Volatile.Write(ref Word, changes | frame);
    }

    /// <summary>Names no frame any more: it is named elsewhere. Only where no client finds the entry.</summary>
    public void Disown() => Word = 0;
}
