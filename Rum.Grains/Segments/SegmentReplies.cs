using Rum.Core;
using Rum.Core.Council;

namespace Rum.Grains.Segments;

/// <summary>Calls as the council's commands, and its results as replies.</summary>
internal static class SegmentReplies
{
    public static SegmentReply Of(GrainReply reply, Result? result) => result is SegmentResult segment
        ? new SegmentReply(reply, segment.Segment.Value, segment.Key, segment.Size, segment.Token, segment.FirstShard.Value, (ushort)segment.Flags)
        : new SegmentReply(reply, 0, UInt128.Zero, 0, 0, 0, 0);

    /// <summary>The silos that a call names; the council refuses what is no sound set.</summary>
    public static SiloSet SilosOf(CreateSegment call)
    {
        Span<SiloId> silos = stackalloc SiloId[SiloSet.Max];
        silos.Clear();
        silos[0] = new SiloId(call.Silo);
        ushort[] others = call.Others ?? [];
        for (int i = 0; i < Math.Min(others.Length, SiloSet.Max - 1); i++) silos[i + 1] = new SiloId(others[i]);
        return SiloSet.Of(silos);
    }
}
