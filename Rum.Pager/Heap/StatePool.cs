using System.Runtime.InteropServices;

namespace Rum.Pager.Heap;

/// <summary>Blocks of object states, one size per class, carved from chunks of local memory and reused. Under the page lock.</summary>
internal sealed unsafe class StatePool : IDisposable
{
    private const int ChunkBytes = 1 << 20;

    private readonly nint[] _free = new nint[SizeClasses.Count];
    private readonly List<nint> _chunks = [];
    private byte* _next;
    private long _left;

    /// <summary>Local bytes taken.</summary>
    public long BytesUsed => (long)_chunks.Count * ChunkBytes;

    /// <summary>A block of zeros with a byte for each object of a slab of the class.</summary>
    public byte* Take(int sizeClass)
    {
        int bytes = BlockBytes(sizeClass);
        nint reused = _free[sizeClass];
        if (reused != 0)
        {
            _free[sizeClass] = *(nint*)reused;
            new Span<byte>((void*)reused, bytes).Clear();
            return (byte*)reused;
        }
        if (_left < bytes)
        {
            _next = (byte*)NativeMemory.AlignedAlloc(ChunkBytes, 64);
            _chunks.Add((nint)_next);
            new Span<byte>(_next, ChunkBytes).Clear();
            _left = ChunkBytes;
        }
        byte* block = _next;
        _next += bytes;
        _left -= bytes;
        return block;
    }

    /// <summary>Takes a block back.</summary>
    public void Return(int sizeClass, byte* block)
    {
        *(nint*)block = _free[sizeClass];
        _free[sizeClass] = (nint)block;
    }

    // Rounded to cache lines: two slabs never share one, and a whole vector may be read at the end.
    private static int BlockBytes(int sizeClass) => (SizeClasses.SlabObjects(sizeClass) + 63) & ~63;

    public void Dispose()
    {
        foreach (nint chunk in _chunks) NativeMemory.AlignedFree((void*)chunk);
        _chunks.Clear();
    }
}
