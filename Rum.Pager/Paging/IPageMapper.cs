using Rum.Core;

namespace Rum.Pager.Paging;

/// <summary>
/// What the pager's engine needs of the machine: mapping pages, and the time. Linux does it with userfaultfd; a simulator with plain memory.
/// Called by one thread. Counts are in pages; transfers do a front part and say how much (<paramref name="done"/>) when they meet an obstacle.
/// </summary>
public unsafe interface IPageMapper
{
    /// <summary>Whether pages can be moved; else they are copied (kernels before 6.8).</summary>
    bool Moves { get; }

    /// <summary>Whether pages that are the kernel's shared zero page can be moved too.</summary>
    bool MovesZeroPages { get; }

    /// <summary>A monotonic clock in nanoseconds.</summary>
    long NowNs { get; }

    /// <summary>The first byte of slot 0. Slots are page-sized and contiguous; a slot is either backed by a physical page or a hole.</summary>
    byte* Slots { get; }

    /// <summary>Reserves a region and makes its front accessible.</summary>
    RumError OpenRegion(long reservedBytes, long bytes, bool readOnly, out nint address);

    /// <summary>Makes the part between two lengths of a region accessible or not.</summary>
    RumError ResizeRegion(nint address, long oldBytes, long newBytes, bool readOnly);

    /// <summary>Ends a region: its pages are gone, touching it raises the platform's ordinary fault, and who waits goes on to that.</summary>
    void CloseRegion(nint address, long reservedBytes);

    /// <summary>Memory for a table, zero, which costs only what is touched.</summary>
    void* OpenTable(long bytes);

    /// <summary>Gives a table back.</summary>
    void CloseTable(void* table, long bytes);

    /// <summary>Backs hole slots with zeroed pages.</summary>
    void BackSlots(int slot, int count);

    /// <summary>Makes slots holes; their physical pages go back to the machine.</summary>
    void UnbackSlots(int slot, int count);

    /// <summary>Moves slots to missing pages of a region and wakes who waits for them; the slots are holes then.</summary>
    MapOutcome MoveIn(nint page, int slot, int count, out int done);

    /// <summary>Moves pages of a region to hole slots, atomically against the program's stores.</summary>
    MapOutcome MoveOut(int slot, nint page, int count, out int done);

    /// <summary>Fills missing pages with copies and wakes who waits for them.</summary>
    MapOutcome CopyIn(nint page, byte* source, int count, out int done);

    /// <summary>Fills missing pages with zeros and wakes who waits for them.</summary>
    MapOutcome Zero(nint page, int count, out int done);

    /// <summary>Holds off the program's stores to a page (or lets them go on).</summary>
    void Protect(nint page, bool on);

    /// <summary>Drops mapped pages; the next touch faults. Wakes nobody.</summary>
    void Drop(nint page, long count);

    /// <summary>Lets the threads that wait on a page try again.</summary>
    void Wake(nint page);

    /// <summary>The same where there was no room to do anything: somewhat later, if the mapper can.</summary>
    void Retry(nint page) => Wake(page);

    /// <summary>Makes touches of the page end in SIGBUS.</summary>
    void Poison(nint page);

    /// <summary>Where the engine can read a page that is mapped.</summary>
    byte* View(nint page);
}

/// <summary>How a mapping request ended.</summary>
public enum MapOutcome
{
    /// <summary>All done.</summary>
    Done,

    /// <summary>There is a page already.</summary>
    Exists,

    /// <summary>There is no page to move.</summary>
    Missing,

    /// <summary>The page is held by the kernel (direct I/O, a fork in progress): leave it.</summary>
    Busy,
}
