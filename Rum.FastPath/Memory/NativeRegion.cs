using Rum.FastPath.Linux;

namespace Rum.FastPath.Memory;

/// <summary>
/// A stretch of anonymous private memory from the kernel: zeros, resident only where touched, given back by <see cref="Dispose"/>.
/// Big tables are made of it too, so that their unused parts cost address space only.
/// </summary>
public sealed unsafe class NativeRegion : IDisposable
{
    private const int Access = Mappings.PROT_READ | Mappings.PROT_WRITE;
    private const int Kind = Mappings.MAP_PRIVATE | Mappings.MAP_ANONYMOUS | Mappings.MAP_NORESERVE;

    /// <summary>Maps <paramref name="bytes"/>, aligned to <paramref name="alignment"/> (a power of two).</summary>
    /// <exception cref="ErrnoException">The kernel refuses.</exception>
    public NativeRegion(long bytes, long alignment = 4096)
    {
        _mappedBytes = (nuint)(bytes + alignment);
        _mapped = Mappings.mmap(null, _mappedBytes, Access, Kind, -1, 0);
        if (_mapped == Mappings.MAP_FAILED) ErrnoException.ThrowLast(nameof(Mappings.mmap), $"{bytes} bytes");
        Start = (byte*)(((nuint)_mapped + (nuint)alignment - 1) & ~((nuint)alignment - 1));
        Bytes = bytes;
    }

    private void* _mapped;
    private readonly nuint _mappedBytes;

    /// <summary>The first byte.</summary>
    public byte* Start { get; private set; }

    /// <summary>Bytes usable.</summary>
    public long Bytes { get; }

    /// <summary>Asks for huge pages. False where the kernel has none: then it is ordinary memory.</summary>
    public bool UseHugePages() => Mappings.madvise(Start, (nuint)Bytes, Mappings.MADV_HUGEPAGE) == 0;

    /// <summary>Gives the memory of a range back to the kernel; it reads as zeros afterwards.</summary>
    public void Discard(long offset, long bytes) =>
        ErrnoException.Check(Mappings.madvise(Start + offset, (nuint)bytes, Mappings.MADV_DONTNEED), nameof(Mappings.madvise));

    /// <summary>Maps <paramref name="bytes"/> without an object around it; null where the kernel refuses. Small pages only: it is for sparsely used tables.</summary>
    public static void* Map(long bytes)
    {
        void* start = Mappings.mmap(null, (nuint)bytes, Access, Kind, -1, 0);
        if (start == Mappings.MAP_FAILED) return null;
        _ = Mappings.madvise(start, (nuint)bytes, Mappings.MADV_NOHUGEPAGE);
        return start;
    }

    /// <summary>Ends what <see cref="Map"/> began.</summary>
    public static void Unmap(void* start, long bytes) => _ = Mappings.munmap(start, (nuint)bytes);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_mapped == null) return;
        _ = Mappings.munmap(_mapped, _mappedBytes);
        _mapped = null;
        Start = null;
    }
}
