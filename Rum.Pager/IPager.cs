using Rum.Core;
using Rum.FastPath.Client;

namespace Rum.Pager;

/// <summary>
/// The pager as the heap, the C ABI and the session see it. All members may be called from any thread except the pager's own; they block until
/// the pager has carried them out. Addresses and lengths are rounded outwards to pages, except in <see cref="Discard"/>, which rounds inwards.
/// </summary>
public interface IPager : IDisposable
{
    /// <summary>
    /// Reserves address space for a segment and puts it under the pager's care. No page is touched or fetched. Closed ranges are not
    /// handed out again for the next 16 TiB of closings.
    /// </summary>
    RumError Map(in RegionOptions options, out nint address);

    /// <summary>
    /// As above. What others have written before and is mapped for writing is taken over first: all its silos must answer. Timeout: <paramref name="silent"/>
    /// didn't within the fault time-out, 15 s where that is for ever.
    /// </summary>
    RumError Map(in RegionOptions options, out nint address, out Incarnation silent);

    /// <summary>Moves the end of the accessible part of a region; what is cut off is discarded.</summary>
    RumError Resize(nint address, long bytes);

    /// <summary>Ends a region. With <paramref name="writeBack"/> dirty pages reach the silos first, else they are dropped.</summary>
    RumError Unmap(nint address, bool writeBack);

    /// <summary>Drops the whole pages of a range, here and at the silos: never written back, they read as zeros from then on.</summary>
    RumError Discard(nint address, long length);

    /// <summary>Starts fetching a range, as far as the cache allows; doesn't wait.</summary>
    RumError Prefetch(nint address, long length);

    /// <summary>Returns when every store made before the call is acknowledged by the silos. Length 0: all regions.</summary>
    RumError Flush(nint address, long length);

    /// <summary>Flushes, then drops the local pages: the cache is cold afterwards. Length 0: all regions.</summary>
    RumError FlushAndDrop(nint address, long length);

    /// <summary>Makes a range resident and keeps it so. Pins nest. PinBudgetExceeded when the cache can't hold it.</summary>
    RumError Pin(nint address, long length);

    /// <summary>Ends one pin of exactly this range.</summary>
    RumError Unpin(nint address, long length);

    /// <summary>The session ended: unmaps every region, so that each further touch fails, and refuses all later calls with <paramref name="why"/>. Any thread, also while another one disposes the pager and after it.</summary>
    void Revoke(RumError why);

    /// <summary>Counters, gauges and the fault-time histogram as of now.</summary>
    PagerStatistics Statistics { get; }
}

/// <summary>What <see cref="IPager.Map"/> needs to know of a region.</summary>
/// <param name="Segment">The segment behind it.</param>
/// <param name="ReservedBytes">Address space to reserve, so that <see cref="IPager.Resize"/> can grow in place.</param>
/// <param name="Bytes">The accessible part at first.</param>
/// <param name="ReadOnly">Stores fail with the platform's ordinary fault.</param>
/// <param name="Fresh">The segment was created by this session and nothing was written yet: untouched pages need no round trip.</param>
public readonly record struct RegionOptions(SegmentHandle Segment, long ReservedBytes, long Bytes, bool ReadOnly, bool Fresh);
