using Rum.Core;
using Rum.Pager.Heap;

namespace Rum.Pager.Session;

/// <summary>
/// What stands between <c>rum_init</c> and <c>rum_end</c>: the council, the pager, the heap and the mapped segments of this process. Members throw
/// <see cref="RumException"/>; all may be called from any thread. How it is put together: <see cref="Start"/>.
/// </summary>
internal sealed partial class RumRuntime
{
    // Address space only. A heap of a terabyte is beyond what a session's table of pages should hold at once.
    private const long HeapReservedBytes = 1L << 40;

    private readonly ICouncil _council;
    private readonly IPager _pager;
    private readonly AnonymousSpace _space;
    private readonly MappedSegments _segments = new();
    private readonly Upkeep _upkeep;

    private RumRuntime(ICouncil council, IPager pager, ClientSettings settings, Transports transports)
    {
        (_council, _pager, Settings, _transports) = (council, pager, settings, transports);
        _space = new AnonymousSpace(council, pager, HeapReservedBytes, settings.Copies);
        Heap = new RemoteHeap(_space);
        _upkeep = new Upkeep(Heap);
    }

    /// <summary>The settings it was started with.</summary>
    public ClientSettings Settings { get; }

    /// <summary>The heap of anonymous memory.</summary>
    public RemoteHeap Heap { get; }

    /// <summary>Throws what an allocation of the heap ended with.</summary>
    public static void ThrowIfFailed(RumError error, nuint size)
    {
        if (error == RumError.None) return;
        string refusal = AnonymousSpace.Refusal;
        throw new RumException(error, error switch
        {
            RumError.InvalidArgument => $"{size} bytes were asked for; an allocation has 1 byte to {Layout.MaxSegmentSize >> 40} TiB, an alignment is a power of two.",
            RumError.SessionExpired => Words(error),
            _ when refusal.Length > 0 => refusal,
            _ => $"{size} bytes could not be had: {error}.",
        });
    }

    /// <summary>Frees what any allocating call returned.</summary>
    public void Free(nint address)
    {
        if (Heap.Owns(address))
        {
            RumError error = Heap.Free(address);
            if (error == RumError.BadPointer) throw BadPointer(address);
            Check(error, $"0x{address:x} can't be freed");
            return;
        }
        MappedSegment segment = _segments.At(address) ?? throw BadPointer(address);
        if (!segment.Writable) Close(segment);
        else FreeSegment(segment);
    }

    /// <summary>Allocates zeros.</summary>
    public nint AllocateZeros(nuint count, nuint size)
    {
        nuint bytes = unchecked(count * size);
        if (size != 0 && bytes / size != count) throw new RumException(RumError.InvalidArgument, $"{count} times {size} bytes exceed 64 bits.");
        ThrowIfFailed(Heap.AllocateZeroed(bytes, out nint address, out bool zero), bytes);
        if (!zero) LibC.MemSet(address, 0, bytes);
        return address;
    }

    /// <summary>Makes an allocation larger or smaller.</summary>
    public nint Reallocate(nint address, nuint size)
    {
        if (!Heap.Owns(address)) return ResizeSegment(_segments.At(address) ?? throw BadPointer(address), size);
        if (Heap.UsableSize(address, out nuint before) != RumError.None) throw BadPointer(address);
        if (Heap.TryResize(address, size)) return address;
        ThrowIfFailed(Heap.Allocate(size, out nint moved), size);
        LibC.MemCpy(moved, address, nuint.Min(before, size));
        Free(address);
        return moved;
    }

    /// <summary>Usable bytes; 0 for a wrong pointer.</summary>
    public nuint UsableSize(nint address)
    {
        if (Heap.Owns(address)) return Heap.UsableSize(address, out nuint bytes) == RumError.None ? bytes : throw BadPointer(address);
        return (nuint)(_segments.At(address) ?? throw BadPointer(address)).Bytes;
    }

    /// <summary>Starts fetching a range.</summary>
    public void Prefetch(nint address, nuint length) => OnRange(address, length, "prefetched", _pager.Prefetch);

    /// <summary>Makes a range stay local.</summary>
    public void Pin(nint address, nuint length)
    {
        OnRange(address, length, "pinned", _pager.Pin);
        if (Resident.PinsLeaveRoom) return;
        _pager.Unpin(address, (long)length);
        throw new RumException(RumError.PinBudgetExceeded, $"{length} bytes at 0x{address:x} can't be pinned: {Words(RumError.PinBudgetExceeded)}");
    }

    /// <summary>Ends one pin.</summary>
    public void Unpin(nint address, nuint length) => OnRange(address, length, "unpinned", _pager.Unpin);

    /// <summary>Waits until every store before is in the silos; address and length 0: all.</summary>
    public void Flush(nint address, nuint length)
    {
        if (address == 0 && length == 0) Check(_pager.Flush(0, 0), "everything could not be flushed");
        else OnRange(address, length, "flushed", _pager.Flush);
    }

    /// <summary>Flushes all and empties the cache.</summary>
    public void FlushCache() => Check(_pager.FlushAndDrop(0, 0), "the cache could not be flushed");

    private void OnRange(nint address, nuint length, string what, Func<nint, long, RumError> act)
    {
        bool known = length <= long.MaxValue
            && ((Heap.Owns(address) && Heap.Owns(address + (nint)length - 1)) || _segments.Holding(address, (long)length) is not null);
        if (!known || length == 0) throw new RumException(RumError.BadPointer, $"{length} bytes at 0x{address:x} can't be {what}: they are not remote memory of this process.");
        Check(act(address, (long)length), $"{length} bytes at 0x{address:x} can't be {what}");
    }

    private static void Check(RumError error, string what)
    {
        if (error != RumError.None) throw new RumException(error, $"{what}: {Words(error)}");
    }

    private static string Words(RumError error) => error switch
    {
        RumError.PinBudgetExceeded => "more pages would be pinned than the cache (RUM_CACHE) can hold.",
        RumError.SessionExpired => "the session ended: the silos did not hear of it for its lease, or are another cluster now; its memory is gone.",
        RumError.Timeout => "the silos did not answer within the fault time-out (RUM_FAULT_TIMEOUT).",
        RumError.ShardLost => "a silo that held some of the pages is gone.",
        RumError.ReadOnly => "the segment is open read-only.",
        RumError.OutOfMemory => "the silos are full.",
        RumError.BadPointer => "the range is not remote memory, or not pinned as given.",
        _ => $"{error}.",
    };

    private static RumException BadPointer(nint address) =>
        new(RumError.BadPointer, $"0x{address:x} is not the start of an allocation: RUM did not give it out, or it was freed already. Nothing was changed.");
}
