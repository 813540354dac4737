using Rum.Core;
using Rum.Core.Council;
using Rum.Core.Council.Codec;
using Rum.Core.Wire;

namespace Rum.Silo.Council;

/// <summary>The proposals of a decree as the bytes of a log record: a count, then one behind the other.</summary>
internal static class BatchCodec
{
    public static int Encode(Span<byte> buffer, IReadOnlyList<Proposal> proposals)
    {
        var to = new SpanWriter(buffer);
        to.U32((uint)proposals.Count);
        foreach (Proposal proposal in proposals) CommandCodec.Write(ref to, proposal);
        Invariant.Check(!to.Overflowed);
        return to.Length;
    }

    /// <summary>Null when the bytes are no batch.</summary>
    public static List<Proposal>? Decode(ReadOnlySpan<byte> bytes)
    {
        var from = new SpanReader(bytes);
        int count = from.Count(1);
        var proposals = new List<Proposal>(count);
        for (int i = 0; i < count && !from.Failed; i++)
        {
            if (CommandCodec.ReadProposal(ref from) is { } proposal) proposals.Add(proposal);
            else from.Fail();
        }
        return from.Failed || from.Remaining != 0 ? null : proposals;
    }
}
