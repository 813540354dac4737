using Rum.Core;
using Rum.Core.Council;
using Rum.FastPath.Client;
using Rum.Pager.Heap;

namespace Rum.Pager.Session;

/// <summary>The session's anonymous segment as the heap's space: reserved as address space once, grown, charged and discarded as the heap asks.</summary>
internal sealed class AnonymousSpace : IHeapSpace
{
    private const long FirstBytes = 4L << 20;

    [ThreadStatic]
    private static string? t_refusal;

    private readonly ICouncil _council;
    private readonly IPager _pager;
    private readonly SegmentHandle _handle;
    private long _bytes;

    /// <summary>Creates the segment and maps it. Throws <see cref="RumException"/>.</summary>
    public AnonymousSpace(ICouncil council, IPager pager, long reservedBytes, byte copies)
    {
        (_council, _pager, ReservedBytes) = (council, pager, reservedBytes);
        Result result = council.Execute(new Allocate(council.Session, UInt128.Zero, FirstBytes, copies, SegmentFlags.None, default));
        if (result is not SegmentResult { Error: RumError.None } segment) throw new RumException(result.Error, result.Message);
        _handle = new SegmentHandle(segment.Segment, segment.Token, segment.FirstShard, segment.Flags);
        _bytes = segment.Size;
        RumError error = pager.Map(new RegionOptions(_handle, ReservedBytes, _bytes, ReadOnly: false, Fresh: true), out nint address);
        if (error != RumError.None) throw new RumException(error, $"the address range for anonymous memory ({ReservedBytes >> 30} GiB) could not be mapped: {error}.");
        BaseAddress = address;
    }

    /// <inheritdoc/>
    public nint BaseAddress { get; }

    /// <inheritdoc/>
    public long ReservedBytes { get; }

    /// <summary>Why the last request of the calling thread for more memory was refused, in words; empty for unknown.</summary>
    public static string Refusal => t_refusal ?? "";

    /// <inheritdoc/>
    public RumError Grow(long bytes)
    {
        if (bytes <= _bytes) return RumError.None;
        RumError error = Ask(new Resize(_council.Session, _handle.Segment, bytes));
        if (error != RumError.None) return error;
        error = _pager.Resize(BaseAddress, bytes);
        if (error == RumError.None) _bytes = bytes;
        return error;
    }

    /// <inheritdoc/>
    public RumError Charge(long firstExtent, int count) => Ask(new ChargeExtents(_council.Session, _handle.Segment, firstExtent, count, Charged: true));

    /// <inheritdoc/>
    public RumError Release(long firstExtent, int count) => Ask(new ChargeExtents(_council.Session, _handle.Segment, firstExtent, count, Charged: false));

    /// <inheritdoc/>
    public void Discard(nint address, long length) => _pager.Discard(address, length);

    private RumError Ask(Command command)
    {
        try
        {
            Result result = _council.Execute(command);
            t_refusal = result.Error == RumError.None ? null : result.Message;
            return result.Error;
        }
        catch (RumException failure)
        {
            t_refusal = failure.Message;
            return failure.Error;
        }
    }
}
