using Rum.Core;

namespace Rum.Pager.Paging;

/// <summary>What the engine tells its owner. Called by the engine's thread.</summary>
public interface IPagerEvents
{
    /// <summary>A command ended; its result stands in it.</summary>
    void Completed(PagerCommand command);

    /// <summary>A page has been waited for since <paramref name="waitedNs"/>; called about each second.</summary>
    void Waiting(in PageTrouble trouble);

    /// <summary>A page was given up after the fault time-out, or its segment's writes are refused for good.</summary>
    void GaveUp(in PageTrouble trouble);
}

/// <summary>A page that can't be had or can't be stored.</summary>
/// <param name="Segment">Its segment.</param>
/// <param name="Page">Its number in the segment.</param>
/// <param name="Writing">A write-back waits, not a fault.</param>
/// <param name="Status">The last answer; TimedOut when there was none.</param>
/// <param name="WaitedNs">For how long.</param>
/// <param name="NoRoom">It was not asked for: the cache is full of pages that a lost shard can't take; <paramref name="Status"/> is theirs.</param>
public readonly record struct PageTrouble(FastPath.Client.SegmentHandle Segment, long Page, bool Writing, PageStatus Status, long WaitedNs, bool NoRoom = false);
