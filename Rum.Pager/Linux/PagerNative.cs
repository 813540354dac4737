using System.Runtime.InteropServices;

namespace Rum.Pager.Linux;

/// <summary>The C library calls of the pager, C names kept. Those that can block keep the GC transition.</summary>
internal static unsafe partial class PagerNative
{
    internal const int ProtNone = 0, ProtRead = 1, ProtWrite = 2;
    internal const int MapPrivate = 2, MapFixed = 0x10, MapAnonymous = 0x20, MapNoReserve = 0x4000;
    internal const int MadvDontNeed = 4, MadvDontFork = 10, MadvNoHugePage = 15;
    internal const int Eintr = 4, Eagain = 11, Enoent = 2, Eexist = 17, Ebusy = 16, Eperm = 1, Eacces = 13, Esrch = 3, Enosys = 38;
    internal const int OpenReadWrite = 2, OpenNonBlocking = 0x800, OpenCloseOnExec = 0x80000;
    internal const int SetFileFlags = 4;
    internal const short PollIn = 1;
    internal const int SyscallUserfaultfd = 323;
    internal const int ReadNoWait = 8;

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    internal static partial nint Mmap(nint address, nuint length, int protection, int flags, int fd, long offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    internal static partial int Munmap(nint address, nuint length);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    internal static partial int Mprotect(nint address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "madvise", SetLastError = true)]
    internal static partial int Madvise(nint address, nuint length, int advice);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    internal static partial int Close(int fd);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    internal static partial int Fcntl(int fd, int command, long argument);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    internal static partial long Syscall(long number, long argument);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    internal static partial int IoctlChecked(int fd, ulong request, void* argument);

    [LibraryImport("libc", EntryPoint = "ioctl")]
    internal static partial int Ioctl(int fd, ulong request, void* argument);

    [LibraryImport("libc", EntryPoint = "read")]
    internal static partial nint Read(int fd, void* buffer, nuint count);

    [LibraryImport("libc", EntryPoint = "preadv2")]
    internal static partial nint Preadv2(int fd, IoVector* vectors, int count, long offset, int flags);

    [LibraryImport("libc", EntryPoint = "ppoll")]
    internal static partial int Ppoll(PollDescriptor* descriptors, ulong count, TimeSpec* timeout, void* signals);

    [LibraryImport("libc", EntryPoint = "memcpy")]
    internal static partial void* Memcpy(void* to, void* from, nuint bytes);

    [LibraryImport("libc", EntryPoint = "gettid")]
    internal static partial int Gettid();

    [LibraryImport("libc", EntryPoint = "sched_setaffinity")]
    internal static partial int SchedSetaffinity(int pid, nuint bytes, void* mask);

    [LibraryImport("libc", EntryPoint = "sched_getaffinity")]
    internal static partial int SchedGetaffinity(int pid, nuint bytes, void* mask);

    [LibraryImport("libc", EntryPoint = "sched_getcpu")]
    [SuppressGCTransition]
    internal static partial int SchedGetcpu();

    [LibraryImport("libc", EntryPoint = "pread")]
    internal static partial nint Pread(int fd, void* buffer, nuint count, long offset);

    [LibraryImport("libc", EntryPoint = "open")]
    internal static partial int OpenRaw(byte* path, int flags);

    [StructLayout(LayoutKind.Sequential)]
    internal struct IoVector
    {
        internal void* Base;
        internal nuint Length;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct PollDescriptor
    {
        internal int Descriptor;
        internal short Events;
        internal short Returned;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct TimeSpec
    {
        internal long Seconds;
        internal long Nanoseconds;
    }
}
