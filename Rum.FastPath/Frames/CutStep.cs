namespace Rum.FastPath.Frames;

/// <summary>
/// The steps by which silos mark their tables for one snapshot, in a Cut frame's <c>Slot</c>. A step is taken by every silo before any takes the next, so what is in the
/// cut is closed under the order in which things were acknowledged.
/// </summary>
public enum CutStep : uint
{
    /// <summary>From now on no write is acknowledged, for 50 ms at most.</summary>
    Hold = 1,

    /// <summary>The tables as they are now are the cut. Only while it holds.</summary>
    Mark = 2,

    /// <summary>All have marked: acknowledge again. Ok only if it has held since the first step without a break.</summary>
    Release = 3,

    /// <summary>There is no cut: acknowledge again, keep nothing.</summary>
    Void = 4,
}
