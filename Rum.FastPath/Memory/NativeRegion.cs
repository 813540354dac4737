using System.Runtime.InteropServices;

namespace Rum.FastPath.Memory;

/// <summary>
/// A stretch of anonymous private memory from the kernel: zeros, resident only where touched, given back by <see cref="Dispose"/>.
/// Big tables are made of it too, so that their unused parts cost address space only.
/// </summary>
public sealed unsafe partial class NativeRegion : IDisposable
{
    private const int ProtRead = 1, ProtWrite = 2;
    private const int MapPrivate = 2, MapAnonymous = 0x20, MapNoReserve = 0x4000;
    private const int MadvDontNeed = 4, MadvHugePage = 14, MadvNoHugePage = 15;

    /// <summary>Maps <paramref name="bytes"/>, aligned to <paramref name="alignment"/> (a power of two).</summary>
    /// <exception cref="OutOfMemoryException">The kernel refuses.</exception>
    public NativeRegion(long bytes, long alignment = 4096)
    {
        _mappedBytes = (nuint)(bytes + alignment);
        _mapped = Mmap(null, _mappedBytes, ProtRead | ProtWrite, MapPrivate | MapAnonymous | MapNoReserve, -1, 0);
        if ((nint)_mapped == -1) throw new OutOfMemoryException($"mmap of {bytes} bytes failed with errno {Marshal.GetLastPInvokeError()}.");
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
    public bool UseHugePages() => Madvise(Start, (nuint)Bytes, MadvHugePage) == 0;

    /// <summary>Gives the memory of a range back to the kernel; it reads as zeros afterwards.</summary>
    public void Discard(long offset, long bytes)
    {
        if (Madvise(Start + offset, (nuint)bytes, MadvDontNeed) != 0)
            throw new InvalidOperationException($"madvise(MADV_DONTNEED) failed with errno {Marshal.GetLastPInvokeError()}.");
    }

    /// <summary>Maps <paramref name="bytes"/> without an object around it; null where the kernel refuses. Small pages only: it is for sparsely used tables.</summary>
    public static void* Map(long bytes)
    {
        void* start = Mmap(null, (nuint)bytes, ProtRead | ProtWrite, MapPrivate | MapAnonymous | MapNoReserve, -1, 0);
        if ((nint)start == -1) return null;
        _ = Madvise(start, (nuint)bytes, MadvNoHugePage);
        return start;
    }

    /// <summary>Ends what <see cref="Map"/> began.</summary>
    public static void Unmap(void* start, long bytes) => _ = Munmap(start, (nuint)bytes);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_mapped == null) return;
        _ = Munmap(_mapped, _mappedBytes);
        _mapped = null;
        Start = null;
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial void* Mmap(void* address, nuint length, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int Munmap(void* address, nuint length);

    [LibraryImport("libc", EntryPoint = "madvise", SetLastError = true)]
    private static partial int Madvise(void* address, nuint length, int advice);
}
