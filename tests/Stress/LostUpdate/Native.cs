using System.Runtime.InteropServices;

namespace Rum.LostUpdate;

/// <summary>
/// How the stress touches remote memory: by libc calls with the GC transition. A managed load would keep this runtime, in which the pager
/// runs too, from reaching a safe point. (The real pager has a runtime of its own.)
/// </summary>
internal static unsafe partial class Native
{
    internal const int ReadWriteCreate = 2 | 0x40 | 0x200;
    internal const int Direct = 0x4000;

    [LibraryImport("libc", EntryPoint = "memcpy")]
    internal static partial void* Memcpy(void* to, void* from, nuint bytes);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "close")]
    internal static partial int Close(int fd);

    [LibraryImport("libc", EntryPoint = "unlink", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Unlink(string path);

    [LibraryImport("libc", EntryPoint = "pread", SetLastError = true)]
    internal static partial nint Pread(int fd, void* buffer, nuint count, long offset);

    [LibraryImport("libc", EntryPoint = "pwrite", SetLastError = true)]
    internal static partial nint Pwrite(int fd, void* buffer, nuint count, long offset);

    internal static ulong Load(nint address)
    {
        ulong value;
        Memcpy(&value, (void*)address, sizeof(ulong));
        return value;
    }

    internal static void Store(nint address, ulong value) => Memcpy((void*)address, &value, sizeof(ulong));
}
