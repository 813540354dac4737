using Rum.Core;
using Rum.Pager.Heap;

namespace Rum.Unit.Heap;

/// <summary>
/// A space at addresses where nothing is mapped: a heap that touched a byte of it would end the test process at once. Records what was granted and dropped.
/// </summary>
internal sealed class FakeSpace(long reservedBytes = 1L << 36) : IHeapSpace
{
    private readonly HashSet<long> _released = [];

    public nint BaseAddress { get; } = unchecked((nint)0x2000_0000_0000);

    public long ReservedBytes { get; } = reservedBytes;

    /// <summary>Pages that the "silos" have room for.</summary>
    public long LimitBytes { get; set; } = long.MaxValue;

    public long EndBytes { get; private set; }

    public long ChargedBytes => EndBytes - _released.Count * Layout.ExtentSize;

    public long DiscardedBytes { get; private set; }

    public int Charges { get; private set; }

    public int Releases { get; private set; }

    /// <summary>Called for each discard with start and length.</summary>
    public Action<nint, long>? OnDiscard { get; set; }

    public RumError Grow(long bytes)
    {
        Assert.True(bytes > EndBytes && bytes <= ReservedBytes && bytes % Layout.PageSize == 0, $"grow to {bytes} from {EndBytes}");
        if (ChargedBytes + (bytes - EndBytes) > LimitBytes) return RumError.OutOfMemory;
        EndBytes = bytes;
        return RumError.None;
    }

    public RumError Charge(long firstExtent, int count)
    {
        if (ChargedBytes + count * Layout.ExtentSize > LimitBytes) return RumError.OutOfMemory;
        for (long extent = firstExtent; extent < firstExtent + count; extent++) Assert.True(_released.Remove(extent), $"extent {extent} wasn't released");
        Charges++;
        return RumError.None;
    }

    public RumError Release(long firstExtent, int count)
    {
        for (long extent = firstExtent; extent < firstExtent + count; extent++)
        {
            Assert.True((extent + 1) * Layout.ExtentSize <= EndBytes);
            Assert.True(_released.Add(extent), $"extent {extent} was released twice");
        }
        Releases++;
        return RumError.None;
    }

    public void Discard(nint address, long length)
    {
        Assert.True(length > 0 && length % Layout.PageSize == 0 && address % Layout.PageSize == 0);
        Assert.True(address >= BaseAddress && address + length <= BaseAddress + EndBytes);
        OnDiscard?.Invoke(address, length);
        DiscardedBytes += length;
    }

    /// <summary>Whether a range lies in what was granted and not released.</summary>
    public bool Holds(nint address, long bytes)
    {
        long from = address - BaseAddress;
        if (from < 0 || from + bytes > EndBytes) return false;
        for (long extent = from / Layout.ExtentSize; extent * Layout.ExtentSize < from + bytes; extent++)
        {
            if (_released.Contains(extent)) return false;
        }
        return true;
    }
}
