namespace Rum.Core;

/// <summary>The outcome of one page operation on the data plane, as carried in answers.</summary>
public enum PageStatus : ushort
{
    /// <summary>Done.</summary>
    Ok = 0,

    /// <summary>The page was never written or was trimmed: all zeros, no payload travels.</summary>
    Zero = 1,

    /// <summary>The frame was meant for another life of this silo.</summary>
    StaleIncarnation = 2,

    /// <summary>The shard's epoch has moved on, or this silo doesn't hold the shard.</summary>
    StaleEpoch = 3,

    /// <summary>The write token is below the fence: a later writer opened the segment.</summary>
    Fenced = 4,

    /// <summary>The write token was never recorded here: send Fence first.</summary>
    NotFenced = 5,

    /// <summary>The replica has a newer version of the page.</summary>
    Superseded = 6,

    /// <summary>No frame is free. Only sparse segments can meet this.</summary>
    OutOfMemory = 7,

    /// <summary>The segment was freed.</summary>
    Gone = 8,

    /// <summary>The shard has no in-sync replica left.</summary>
    Lost = 9,

    /// <summary>The silo is not ready to serve (it hasn't its first view).</summary>
    NotReady = 10,

    /// <summary>No answer came in time (client side only).</summary>
    TimedOut = 11,

    /// <summary>The session ended (client side only).</summary>
    SessionExpired = 12,

    /// <summary>The frame's fields contradict each other.</summary>
    Malformed = 13,

    /// <summary>Of a write in fragments some are missing: the answer's sequence has a bit for each.</summary>
    Incomplete = 14,
}
