using System.Runtime.InteropServices;

namespace Rum.Stress.Tests;

/// <summary>
/// Remote memory is touched by libc calls with the GC transition only: a managed load that faults would keep the runtime from reaching a
/// safe point while the pager thread of the same runtime may be stopped by a collection.
/// </summary>
internal static unsafe partial class Native
{
    [LibraryImport("libc", EntryPoint = "memcpy")]
    internal static partial void* Memcpy(void* to, void* from, nuint bytes);

    [LibraryImport("libc", EntryPoint = "memset")]
    internal static partial void* Memset(void* to, int value, nuint bytes);

    [LibraryImport("libc", EntryPoint = "pipe", SetLastError = true)]
    internal static partial int Pipe(int* ends);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    internal static partial nint Read(int fd, void* buffer, nuint count);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    internal static partial nint Write(int fd, void* buffer, nuint count);

    [LibraryImport("libc", EntryPoint = "close")]
    internal static partial int Close(int fd);

    internal static ulong Load(nint address)
    {
        ulong value;
        Memcpy(&value, (void*)address, sizeof(ulong));
        return value;
    }

    internal static void Store(nint address, ulong value) => Memcpy((void*)address, &value, sizeof(ulong));
}
