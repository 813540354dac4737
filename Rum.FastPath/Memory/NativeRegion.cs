using Rum.FastPath.Linux;

namespace Rum.FastPath.Memory;

/// <summary>
/// A stretch of memory from the kernel: zeros, resident only where touched, given back by <see cref="Dispose"/>. Anonymous and private, or a file's that others map too.
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
        _mapped = Reserve(bytes, alignment, Access, out _mappedBytes, out byte* start);
        Start = start;
        Bytes = bytes;
    }

    private NativeRegion(void* mapped, nuint mappedBytes, byte* start, long bytes, FileDescriptor file, long fileOffset)
    {
        _mapped = mapped;
        _mappedBytes = mappedBytes;
        _file = file;
        _fileOffset = fileOffset;
        Start = start;
        Bytes = bytes;
    }

    private void* _mapped;
    private readonly nuint _mappedBytes;
    private readonly FileDescriptor? _file;
    private readonly long _fileOffset;

    /// <summary>Maps a file of the kernel's memory, which stays the caller's and must outlive this. In no core dump: its holes would be filled for it.</summary>
    /// <exception cref="ErrnoException">The kernel refuses.</exception>
    internal static NativeRegion Shared(FileDescriptor file, long bytes, long alignment)
    {
        void* mapped = Reserve(bytes, alignment, Mappings.PROT_NONE, out nuint reserved, out byte* start);
        void* there = Mappings.mmap(start, (nuint)bytes, Access, Mappings.MAP_SHARED | Mappings.MAP_FIXED | Mappings.MAP_NORESERVE, file.Value, 0);
        if (there == Mappings.MAP_FAILED)
        {
            var refused = new ErrnoException(nameof(Mappings.mmap), System.Runtime.InteropServices.Marshal.GetLastPInvokeError(), $"{bytes} bytes");
            _ = Mappings.munmap(mapped, reserved);
            throw refused;
        }
        _ = Mappings.madvise(start, (nuint)bytes, Mappings.MADV_DONTDUMP);
        return new NativeRegion(mapped, reserved, start, bytes, file, 0);
    }

    private static void* Reserve(long bytes, long alignment, int access, out nuint mappedBytes, out byte* start)
    {
        mappedBytes = (nuint)(bytes + alignment);
        void* mapped = Mappings.mmap(null, mappedBytes, access, Kind, -1, 0);
        if (mapped == Mappings.MAP_FAILED) ErrnoException.ThrowLast(nameof(Mappings.mmap), $"{bytes} bytes");
        start = (byte*)(((nuint)mapped + (nuint)alignment - 1) & ~((nuint)alignment - 1));
        return mapped;
    }

    /// <summary>A part of this region, which must outlive it.</summary>
    internal NativeRegion Part(long offset, long bytes) => new(null, 0, Start + offset, bytes, _file!, _fileOffset + offset);

    /// <summary>The first byte.</summary>
    public byte* Start { get; private set; }

    /// <summary>Bytes usable.</summary>
    public long Bytes { get; }

    /// <summary>Asks for huge pages. False where the kernel has none: then it is ordinary memory.</summary>
    public bool UseHugePages() => Mappings.madvise(Start, (nuint)Bytes, Mappings.MADV_HUGEPAGE) == 0;

    /// <summary>Whether it is a file's that others map too.</summary>
    internal bool IsShared => _file != null;

    /// <summary>
    /// Makes a range resident in huge pages, now, if there are any free: for shared memory, for which kernels as they come give none at the first touch. False where they don't do this either (before 6.1).
    /// </summary>
    internal bool Collapse(long offset, long bytes)
    {
        // One page of each must be there.
        for (long at = 0; at < bytes; at += HugePageBytes) Volatile.Write(ref Start[offset + at], 0);
        return Mappings.madvise(Start + offset, (nuint)bytes, Mappings.MADV_COLLAPSE) == 0
            || System.Runtime.InteropServices.Marshal.GetLastPInvokeError() != Errno.EINVAL;
    }

    private const long HugePageBytes = 2 << 20;

    /// <summary>Gives the memory of a range back to the kernel; it reads as zeros afterwards.</summary>
    public void Discard(long offset, long bytes)
    {
        if (!TryDiscard(offset, bytes)) ErrnoException.ThrowLast(_file == null ? nameof(Mappings.madvise) : nameof(Descriptors.fallocate));
    }

    /// <summary><see cref="Discard"/>; false: the kernel refuses, and the memory is as it was.</summary>
    internal bool TryDiscard(long offset, long bytes) => _file == null
        ? Mappings.madvise(Start + offset, (nuint)bytes, Mappings.MADV_DONTNEED) == 0
        : Descriptors.fallocate(_file.Value, Descriptors.FALLOC_FL_KEEP_SIZE | Descriptors.FALLOC_FL_PUNCH_HOLE, _fileOffset + offset, bytes) == 0;

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
