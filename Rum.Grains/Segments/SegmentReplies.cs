using Rum.Core.Council;

namespace Rum.Grains.Segments;

/// <summary>The council's results as replies.</summary>
internal static class SegmentReplies
{
    public static SegmentReply Of(GrainReply reply, Result? result) => result is SegmentResult segment
        ? new SegmentReply(reply, segment.Segment.Value, segment.Key, segment.Size, segment.Token, segment.FirstShard.Value, (ushort)segment.Flags)
        : new SegmentReply(reply, 0, UInt128.Zero, 0, 0, 0, 0);
}
