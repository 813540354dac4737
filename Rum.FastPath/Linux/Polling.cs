using System.Runtime.InteropServices;

namespace Rum.FastPath.Linux;

/// <summary>One descriptor to wait for.</summary>
public struct pollfd
{
    public int fd;
    public short events;
    public short revents;
}

/// <summary>A time span or a moment of a clock.</summary>
public struct timespec
{
    public long tv_sec;
    public long tv_nsec;
}

/// <summary>What epoll reports; packed on x86-64.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct epoll_event
{
    public uint events;
    public ulong data;
}

/// <summary>Waiting for descriptors, under the C names. All can block, so they run with the GC transition.</summary>
public static unsafe partial class Polling
{
    public const short POLLIN = 0x1;
    public const short POLLOUT = 0x4;
    public const short POLLERR = 0x8;
    public const short POLLHUP = 0x10;
    public const int EPOLL_CLOEXEC = 0x80000;
    public const int EPOLL_CTL_ADD = 1;
    public const int EPOLL_CTL_DEL = 2;
    public const uint EPOLLIN = 0x1;
    public const uint EPOLLERR = 0x8;
    public const uint EPOLLHUP = 0x10;
    public const uint EPOLLRDHUP = 0x2000;
    public const uint EPOLLET = 1u << 31;

    [LibraryImport("libc", SetLastError = true)]
    public static partial int poll(pollfd* fds, nuint nfds, int timeout);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int ppoll(pollfd* fds, nuint nfds, timespec* timeout, void* sigmask);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int epoll_create1(int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int epoll_ctl(int epfd, int op, int fd, epoll_event* ev);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int epoll_wait(int epfd, epoll_event* events, int maxevents, int timeout);

    /// <summary>
    /// Waits until one of <paramref name="descriptors"/> is readable (or hung up) or <paramref name="timeoutNs"/> have passed; negative waits for ever.
    /// Returns how many are ready; 0 after the time or a signal. At most 64 descriptors; negative ones are skipped.
    /// </summary>
    public static int WaitReadable(ReadOnlySpan<int> descriptors, long timeoutNs) => WaitReadable(descriptors, timeoutNs, out _);

    /// <summary>As above, and says whether the <paramref name="first"/> is ready.</summary>
    public static int WaitReadable(ReadOnlySpan<int> descriptors, long timeoutNs, out bool first)
    {
        first = false;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(descriptors.Length, 64);
        pollfd* fds = stackalloc pollfd[descriptors.Length];
        for (int i = 0; i < descriptors.Length; i++) fds[i] = new pollfd { fd = descriptors[i], events = POLLIN };
        var span = new timespec { tv_sec = timeoutNs / 1_000_000_000, tv_nsec = timeoutNs % 1_000_000_000 };
        int ready = ppoll(fds, (nuint)descriptors.Length, timeoutNs < 0 ? null : &span, null);
        if (ready < 0 && Marshal.GetLastPInvokeError() == Errno.EINTR) return 0;
        ErrnoException.Check(ready, nameof(ppoll));
        first = descriptors.Length > 0 && fds[0].revents != 0;
        return ready;
    }
}
