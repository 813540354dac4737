using Microsoft.Win32.SafeHandles;

namespace Rum.FastPath.Linux;

/// <summary>Owns a mapping and unmaps it once. Whoever uses <see cref="Pointer"/> keeps this alive.</summary>
public sealed unsafe class MemoryMapping : SafeHandleMinusOneIsInvalid
{
    /// <summary>Maps; see <c>mmap(2)</c> for the arguments. Throws <see cref="ErrnoException"/>.</summary>
    public MemoryMapping(long length, int protection, int flags, int descriptor = -1, long offset = 0)
        : base(ownsHandle: true)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        void* mapped = Mappings.mmap(null, (nuint)length, protection, flags, descriptor, offset);
        if (mapped == Mappings.MAP_FAILED) ErrnoException.ThrowLast(nameof(Mappings.mmap), $"{length} bytes");
        SetHandle((nint)mapped);
        Length = length;
    }

    /// <summary>Anonymous private memory, zeroed, filled in on first touch.</summary>
    public static MemoryMapping Anonymous(long length) =>
        new(length, Mappings.PROT_READ | Mappings.PROT_WRITE, Mappings.MAP_PRIVATE | Mappings.MAP_ANONYMOUS | Mappings.MAP_NORESERVE);

    /// <summary>The first byte; page-aligned.</summary>
    public byte* Pointer => (byte*)handle;

    /// <summary>Bytes mapped.</summary>
    public long Length { get; }

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => Mappings.munmap((void*)handle, (nuint)Length) == 0;
}
