namespace Rum.FastPath.Frames;

/// <summary>What a frame asks or answers. An answer is its request's number plus 0x80.</summary>
public enum FrameType : byte
{
    /// <summary>Not a frame.</summary>
    None = 0,

    /// <summary>Read <c>Count</c> consecutive pages of one extent; one answer per page.</summary>
    Read = 1,

    /// <summary>Write one page.</summary>
    Write = 2,

    /// <summary>Drop <c>Count</c> consecutive pages of one extent: they read as zeros at this version.</summary>
    Trim = 3,

    /// <summary>
    /// Record the write token of a segment at this silo; lower tokens are refused from then on. <c>Sequence</c>, if not 0: whoever takes the segment over asks,
    /// of every silo that holds some of it by a view of this decree.
    /// </summary>
    Fence = 4,

    /// <summary>Who are you: answered with incarnation and generation. Needs no session.</summary>
    Hello = 5,

    /// <summary>A control request for the council, at most once by request id. Its payload is a <c>CouncilRequest</c>.</summary>
    Control = 6,

    /// <summary>
    /// Between silos: which segments are there, with their tokens? The page is a cursor; the answer's is where to go on. Only answered under a view as new
    /// as <c>Confirmed</c> says.
    /// </summary>
    ListSegments = 7,

    /// <summary>Between silos: which extents of a shard are there? Cursor as in <see cref="ListSegments"/>.</summary>
    ListExtents = 8,

    /// <summary>Between silos: a sign of life, without an answer. <c>Slot</c> is the silo, <c>Sequence</c> the progress of its control plane.</summary>
    Sign = 9,

    /// <summary>Between silos: a step towards a cut for a snapshot (<see cref="CutStep"/> in <c>Slot</c>). <c>Segment</c> is the cut, <c>Confirmed</c> the decree of the view.</summary>
    Cut = 10,

    /// <summary>
    /// Which pages of a segment may differ between its replicas: those newer than the confirmed mark. Only from the holder of the recorded token. The page is
    /// a cursor, as in <see cref="ListSegments"/>; <c>Sequence</c> the decree that the silo's view must have, and in the answer has.
    /// </summary>
    ListPages = 11,

    /// <summary>What makes a request's number its answer's.</summary>
    Answer = 0x80,

    /// <summary>Answers <see cref="Read"/>.</summary>
    ReadAnswer = Read | Answer,

    /// <summary>Answers <see cref="Write"/>.</summary>
    WriteAnswer = Write | Answer,

    /// <summary>Answers <see cref="Trim"/>.</summary>
    TrimAnswer = Trim | Answer,

    /// <summary>Answers <see cref="Fence"/>.</summary>
    FenceAnswer = Fence | Answer,

    /// <summary>Answers <see cref="Hello"/>.</summary>
    HelloAnswer = Hello | Answer,

    /// <summary>Answers <see cref="Control"/>.</summary>
    ControlAnswer = Control | Answer,

    /// <summary>Answers <see cref="ListSegments"/>.</summary>
    ListSegmentsAnswer = ListSegments | Answer,

    /// <summary>Answers <see cref="ListExtents"/>.</summary>
    ListExtentsAnswer = ListExtents | Answer,

    /// <summary>Answers <see cref="Cut"/>.</summary>
    CutAnswer = Cut | Answer,

    /// <summary>Answers <see cref="ListPages"/>.</summary>
    ListPagesAnswer = ListPages | Answer,
}
