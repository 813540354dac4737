using System.Runtime.InteropServices;
using Rum.Core;

namespace Rum.Pager.Heap;

/// <summary>
/// Local memory for the heap's books: address space reserved once, backed by the kernel where it is touched, zero at first. So tables can be
/// indexed by page number over terabytes without a lookup and without ever being moved.
/// </summary>
internal static unsafe partial class NativeReserve
{
    private const int ProtRead = 1;
    private const int ProtWrite = 2;
    private const int MapPrivate = 0x02;
    private const int MapAnonymous = 0x20;
    private const int MapNoReserve = 0x4000;

    /// <summary>Reserves <paramref name="bytes"/> of zeros. Throws <see cref="OutOfMemoryException"/> when the address space is limited.</summary>
    public static void* Take(long bytes)
    {
        nint address = MMap(0, (nuint)bytes, ProtRead | ProtWrite, MapPrivate | MapAnonymous | MapNoReserve, -1, 0);
        if (address == -1)
        {
            throw new OutOfMemoryException(
                $"mmap of {bytes} bytes for the heap's tables failed with errno {Marshal.GetLastPInvokeError()}; is the address space limited (ulimit -v)?");
        }
        return (void*)address;
    }

    /// <summary>Gives back what <see cref="Take"/> gave.</summary>
    public static void Return(void* address, long bytes)
    {
        int result = MUnmap((nint)address, (nuint)bytes);
        Invariant.Check(result == 0);
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint MMap(nint address, nuint length, int protection, int flags, int descriptor, long offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int MUnmap(nint address, nuint length);
}
