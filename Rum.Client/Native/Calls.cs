using Rum.Core;
using Rum.Session;

namespace Rum.Native;

/// <summary>The calls of librum.so in the types of .NET; return <c>RumError</c> numbers.</summary>
internal static unsafe class Calls
{
    internal const int Absent = (int)RumError.Pending;

    internal static int Allocate(long bytes, in RumAllocation allocation, out MappedSegment segment)
    {
        AllocateRequest request = new()
        {
            Bytes = bytes,
            KeyHigh = (ulong)(allocation.Key.Value >> 64),
            KeyLow = (ulong)allocation.Key.Value,
            Flags = (allocation.Sparse ? 1 : 0) | (allocation.AcrossRacks ? 2 : 0) | (Math.Clamp(allocation.Copies, 0, 15) << 8),
            Silo0 = allocation.SiloAt(0),
            Silo1 = allocation.SiloAt(1),
            Silo2 = allocation.SiloAt(2),
            Silo3 = allocation.SiloAt(3),
            Silo4 = allocation.SiloAt(4),
        };
        fixed (MappedSegment* result = &segment) return LibRum.rum_client_allocate(&request, result);
    }

    internal static int Open(SegmentKey key, RumAccess access, out MappedSegment segment)
    {
        fixed (MappedSegment* result = &segment)
        {
            return LibRum.rum_client_open((ulong)(key.Value >> 64), (ulong)key.Value, access == RumAccess.Write ? 1 : 0, result);
        }
    }

    internal static int Delete(SegmentKey key) => LibRum.rum_client_delete((ulong)(key.Value >> 64), (ulong)key.Value);

    internal static int Resize(nint address, long bytes, out MappedSegment segment)
    {
        fixed (MappedSegment* result = &segment) return LibRum.rum_client_resize(address, bytes, result);
    }

    internal static int TryRead(nint address, Span<byte> to)
    {
        fixed (byte* bytes = to) return LibRum.rum_client_try_read(address, bytes, to.Length);
    }

    internal static int Read(nint address, Span<byte> to)
    {
        fixed (byte* bytes = to) return LibRum.rum_client_read(address, bytes, to.Length);
    }

    internal static int TryWrite(nint address, ReadOnlySpan<byte> from)
    {
        fixed (byte* bytes = from) return LibRum.rum_client_try_write(address, bytes, from.Length);
    }

    internal static int Write(nint address, ReadOnlySpan<byte> from)
    {
        fixed (byte* bytes = from) return LibRum.rum_client_write(address, bytes, from.Length);
    }

    internal static ClientStatistics Statistics()
    {
        ClientStatistics statistics;
        RumErrors.ThrowOnFailure(LibRum.rum_client_statistics(&statistics));
        return statistics;
    }
}
