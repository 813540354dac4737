using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Rum.Core;
using Rum.Native;

namespace Rum;

/// <summary>
/// Remote memory by address, as in rum.h: allocate, use it through spans, free it. For programs of the original and for small ones;
/// <see cref="RumClient"/> is the API for everything else. All members may be called from any thread.
/// </summary>
/// <remarks>
/// A load or store that misses the local cache is a page fault. In managed code it holds up every garbage collection of the process, and with it
/// every thread, until the page is there: tens of microseconds on a healthy network. <see cref="Read"/>, <see cref="Write"/> and <see cref="Pin"/>
/// don't. Freed or ended memory must not be used: that ends the process.
/// </remarks>
public static class RumMemory
{
    private static readonly Lock Gate = new();
    private static NativeSession? s_session;

    /// <summary>Connects. Shares the session of a <see cref="RumClient"/> with the same settings.</summary>
    /// <param name="machines">A machines file; null: <c>RUM_MACHINES</c>, else the local dev silo.</param>
    /// <exception cref="RumUnavailableException">No silo answered.</exception>
    /// <exception cref="UserfaultfdUnavailableException">This machine doesn't permit user-space page faults.</exception>
    public static void Init(string? machines = null) => Init(new RumClientOptions { Machines = machines });

    /// <summary>Connects with settings.</summary>
    public static void Init(RumClientOptions options)
    {
        lock (Gate)
        {
            if (s_session is not null) throw RumErrors.Create(RumError.AlreadyInitialized, "RumMemory.Init was called already.");
            s_session = NativeSession.Acquire(options);
        }
    }

    /// <summary>Flushes named segments, gives all anonymous memory up and disconnects, unless a <see cref="RumClient"/> goes on using the session.</summary>
    public static void End()
    {
        NativeSession? session;
        lock (Gate)
        {
            session = s_session ?? throw RumErrors.Create(RumError.NotInitialized, "");
            s_session = null;
        }

        session.Release();
    }

    /// <summary>Allocates bytes with undefined contents, aligned for every type. Below 32 KiB no round trip and no page of its own.</summary>
    /// <exception cref="OutOfRemoteMemoryException">The silos have no room.</exception>
    public static nint Alloc(long size) => Result(LibRum.rum_alloc(Size(size)));

    /// <summary>Allocates at a multiple of <paramref name="alignment"/>, a power of two.</summary>
    public static nint AllocAligned(long alignment, long size) => Result(LibRum.rum_aligned_alloc(Size(alignment), Size(size)));

    /// <summary>Allocates zeros.</summary>
    public static nint Calloc(long count, long size) => Result(LibRum.rum_calloc(Size(count), Size(size)));

    /// <summary>Allocates a segment of its own: named, on one silo, sparse.</summary>
    /// <exception cref="SegmentExistsException">There is a segment with that key.</exception>
    public static nint Alloc(long size, RumAllocation allocation)
    {
        RumErrors.ThrowOnFailure(Calls.Allocate((long)Size(size), allocation, out MappedSegment segment));
        return segment.Address;
    }

    /// <summary>Allocates a named segment, which stays until <see cref="Free(SegmentKey)"/>.</summary>
    public static nint Alloc(long size, SegmentKey key) => Alloc(size, new RumAllocation { Key = key });

    /// <summary>Makes an allocation larger or smaller, in place or elsewhere; the old address is void unless it throws. 0 allocates.</summary>
    public static nint Realloc(nint address, long size) => Result(LibRum.rum_realloc(address, Size(size)));

    /// <summary>Frees what an allocating call returned; a segment that is open for reading is closed. 0 does nothing.</summary>
    /// <exception cref="RumException">RUM didn't give the address out, or it was freed: nothing is changed.</exception>
    public static void Free(nint address) => RumErrors.ThrowOnFailure(LibRum.rum_free(address));

    /// <summary>Frees a named segment.</summary>
    public static void Free(SegmentKey key) => RumErrors.ThrowOnFailure(Calls.Delete(key));

    /// <summary>Maps a named segment; of a segment that is mapped here already it is the same address.</summary>
    /// <exception cref="SegmentNotFoundException">No segment has that key.</exception>
    public static nint Get(SegmentKey key, RumAccess access = RumAccess.Write) => Get(key, out _, access);

    /// <summary>Maps a named segment and tells its length in bytes.</summary>
    public static nint Get(SegmentKey key, out long length, RumAccess access = RumAccess.Write)
    {
        RumErrors.ThrowOnFailure(Calls.Open(key, access, out MappedSegment segment));
        length = segment.Length;
        return segment.Address;
    }

    /// <summary>Flushes and unmaps a named segment, which stays at the silos.</summary>
    public static void Close(nint address) => RumErrors.ThrowOnFailure(LibRum.rum_close(address));

    /// <summary>Bytes that may be used at an allocation's address.</summary>
    public static long UsableSize(nint address)
    {
        nuint bytes = LibRum.rum_usable_size(address);
        if (bytes == 0) ThrowLast();
        return (long)bytes;
    }

    /// <summary>The bytes at an address. Neither the address nor the length is checked.</summary>
    public static Span<byte> Span(nint address, int length) => NativeMemoryView.Bytes(address, length);

    /// <summary>The values at an address. Neither the address nor the count is checked.</summary>
    public static Span<T> Span<T>(nint address, int count) where T : unmanaged => NativeMemoryView.Of<T>(address, count);

    /// <summary>Value <paramref name="index"/> of those at an address; for arrays longer than a span can be. Not checked.</summary>
    public static ref T At<T>(nint address, long index) where T : unmanaged => ref NativeMemoryView.Ref<T>(address + (nint)(index * Unsafe.SizeOf<T>()));

    /// <summary>Copies out of remote memory; missing pages make only this thread wait.</summary>
    public static void Read(nint address, Span<byte> to) => RumErrors.ThrowOnFailure(Calls.Read(address, to));

    /// <summary>Copies into remote memory; missing pages make only this thread wait.</summary>
    public static void Write(nint address, ReadOnlySpan<byte> from) => RumErrors.ThrowOnFailure(Calls.Write(address, from));

    /// <summary>Starts fetching a range, and doesn't wait.</summary>
    public static void Prefetch(nint address, long length) => RumErrors.ThrowOnFailure(LibRum.rum_prefetch(address, Size(length)));

    /// <summary>Makes a range resident and keeps it so until <see cref="Unpin"/> with the same range. Pins nest.</summary>
    /// <exception cref="PinBudgetExceededException">The cache can't hold it beside the other pins.</exception>
    public static void Pin(nint address, long length) => RumErrors.ThrowOnFailure(LibRum.rum_pin(address, Size(length)));

    /// <summary>Ends one pin.</summary>
    public static void Unpin(nint address, long length) => RumErrors.ThrowOnFailure(LibRum.rum_unpin(address, Size(length)));

    /// <summary>Returns when every store made before is on the silos.</summary>
    public static void Flush() => RumErrors.ThrowOnFailure(LibRum.rum_flush(0, 0));

    /// <summary>Returns when every store to a range made before is on the silos.</summary>
    public static void Flush(nint address, long length) => RumErrors.ThrowOnFailure(LibRum.rum_flush(address, Size(length)));

    /// <summary>Flushes everything and empties the local cache.</summary>
    public static void FlushCache() => RumErrors.ThrowOnFailure(LibRum.rum_flush_cache());

    /// <summary>Counters and gauges.</summary>
    public static RumStatistics Stats() => new(Calls.Statistics());

    private static nuint Size(long size)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        return (nuint)size;
    }

    private static nint Result(nint address)
    {
        if (address == 0) ThrowLast();
        return address;
    }

    [DoesNotReturn]
    private static void ThrowLast() => RumErrors.Throw((RumError)LibRum.rum_last_error_code());
}
