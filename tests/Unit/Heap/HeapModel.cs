using Rum.Core;
using Rum.Pager.Heap;

namespace Rum.Unit.Heap;

/// <summary>The naive model of a heap: what is in use, by address. Every answer of the real one is held against it.</summary>
internal sealed class HeapModel
{
    private readonly SortedList<nint, long> _used = [];
    private readonly FakeSpace _space;
    private readonly RemoteHeap _heap;

    public HeapModel(FakeSpace space, RemoteHeap heap)
    {
        (_space, _heap) = (space, heap);
        space.OnDiscard = (address, length) => Assert.False(Overlaps(address, length), $"discarded {length} bytes at {address:x} that are in use");
    }

    public int Count => _used.Count;

    public nint At(int index) => _used.Keys[index];

    public long SizeAt(int index) => _used.Values[index];

    public nint Allocate(long size, nuint alignment = 16)
    {
        RumError error = alignment == 16
            ? _heap.Allocate((nuint)size, out nint address)
            : _heap.AllocateAligned((nuint)size, alignment, out address);
        if (error != RumError.None) return 0;
        Assert.True((nuint)address % alignment == 0, $"{address:x} isn't a multiple of {alignment}");
        Enter(address, size);
        return address;
    }

    public void Free(nint address)
    {
        // Out of the model first: freeing may discard the pages at once.
        Assert.True(_used.Remove(address));
        Assert.Equal(RumError.None, _heap.Free(address));
        Assert.Equal(RumError.BadPointer, _heap.Free(address));
    }

    public void Resize(nint address, long size)
    {
        _used.Remove(address, out long before);
        if (_heap.TryResize(address, (nuint)size)) Enter(address, size);
        else Enter(address, before);
    }

    private void Enter(nint address, long size)
    {
        Assert.Equal(RumError.None, _heap.UsableSize(address, out nuint usable));
        Assert.True((long)usable >= size, $"{usable} usable of {size} asked");
        Assert.True(_space.Holds(address, (long)usable), $"{address:x} is outside of what was granted");
        Assert.False(Overlaps(address, (long)usable), $"{address:x} is in use already");
        _used.Add(address, (long)usable);
    }

    private bool Overlaps(nint address, long length)
    {
        // The last one that starts before the end decides: those in the model don't overlap each other.
        int low = 0;
        int high = _used.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_used.Keys[middle] < address + length) low = middle + 1;
            else high = middle;
        }
        return low > 0 && _used.Keys[low - 1] + _used.Values[low - 1] > address;
    }
}
