using Rum.Core;
using Rum.Core.Council;
using Rum.Core.Council.Codec;
using Rum.Core.Wire;

namespace Rum.Silo.Council;

/// <summary>The proposals of a decree as bytes: a count, then one behind the other.</summary>
internal static class BatchCodec
{
    /// <summary>From here on no further proposal is added, so that a decree fits into a message.</summary>
    public const int BytesEnough = 96 << 10;

    /// <summary>No decree is longer.</summary>
    public const int BytesMax = BytesEnough + (64 << 10);

    /// <summary>Writes as many proposals of the front as go into a decree; <paramref name="taken"/> says how many, at least one.</summary>
    public static byte[] Encode(Span<byte> buffer, IReadOnlyList<Proposal> proposals, int max, out int taken)
    {
        var to = new SpanWriter(buffer);
        to.U32(0);
        for (taken = 0; taken < Math.Min(max, proposals.Count) && to.Length < BytesEnough; taken++) CommandCodec.Write(ref to, proposals[taken]);
        Invariant.Check(!to.Overflowed);
        var count = new SpanWriter(buffer);
        count.U32((uint)taken);
        return buffer[..to.Length].ToArray();
    }

    /// <summary>Null when the bytes are no batch. None: the first decree of a leader, in which there is nothing.</summary>
    public static List<Proposal>? Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty) return [];
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
