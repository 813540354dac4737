namespace Rum.Core;

/// <summary>
/// Why a call failed: the one list of error codes for every room, for <c>rum_last_error</c>, for exceptions and for the command line.
/// The numbers are part of the C ABI and of the protocol: never change one. docs/ERRORS.md gives cause and next step for each.
/// </summary>
public enum RumError : ushort
{
    /// <summary>No error.</summary>
    None = 0,

    /// <summary>An argument is out of range (size 0 or above the limit, bad alignment, bad key).</summary>
    InvalidArgument = 1,

    /// <summary><c>rum_init</c> was not called, or <c>rum_end</c> was.</summary>
    NotInitialized = 2,

    /// <summary><c>rum_init</c> was called a second time without <c>rum_end</c>.</summary>
    AlreadyInitialized = 3,

    /// <summary>The machines file, a setting or an environment variable can't be read or makes no sense.</summary>
    BadConfiguration = 4,

    /// <summary>No silo answered at the addresses tried.</summary>
    Unavailable = 5,

    /// <summary>The silos have no room for the allocation.</summary>
    OutOfMemory = 6,

    /// <summary>No segment has that key.</summary>
    NotFound = 7,

    /// <summary>A segment with that key exists already.</summary>
    AlreadyExists = 8,

    /// <summary>Another session has the segment open for writing.</summary>
    SegmentBusy = 9,

    /// <summary>The lease ended: the session's anonymous memory was freed and its pages are unmapped.</summary>
    SessionExpired = 10,

    /// <summary>A page's shard has no replica left that holds it.</summary>
    ShardLost = 11,

    /// <summary>The pointer is not one that RUM gave out, or it was freed already.</summary>
    BadPointer = 12,

    /// <summary>userfaultfd is not permitted or too old on this machine.</summary>
    UserfaultfdUnavailable = 13,

    /// <summary>More pages are pinned than the local cache may hold.</summary>
    PinBudgetExceeded = 14,

    /// <summary>The segment is open read-only.</summary>
    ReadOnly = 15,

    /// <summary>A page could not be had within the fault time-out.</summary>
    Timeout = 16,

    /// <summary>The named silo is not a member of the cluster.</summary>
    UnknownSilo = 17,

    /// <summary>The two ends speak different versions of the protocol.</summary>
    Incompatible = 18,

    /// <summary>This write token was fenced: a later writer opened the segment.</summary>
    Fenced = 19,

    /// <summary>The silo asked is not the council's leader; the answer names the one that is.</summary>
    NotLeader = 20,

    /// <summary>The view that the request was made with is out of date; fetch the new one and ask again.</summary>
    StaleView = 21,

    /// <summary>The answer is not ready (room is being freed, a predecessor is still at it); ask again.</summary>
    Pending = 22,

    /// <summary>A defect in RUM: please report it with the message.</summary>
    Internal = 23,
}
