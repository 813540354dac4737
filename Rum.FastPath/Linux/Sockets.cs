using System.Runtime.InteropServices;

namespace Rum.FastPath.Linux;

/// <summary>
/// The socket calls of libc, under their C names. All return -1 with errno in <see cref="Marshal.GetLastPInvokeError"/>. They run with the
/// GC transition: a send goes through the whole network stack and takes long enough for a collection to wait on it.
/// </summary>
public static unsafe partial class Sockets
{
    public const int AF_UNIX = 1;
    public const int AF_INET = 2;
    public const int AF_INET6 = 10;
    public const int SOCK_STREAM = 1;
    public const int SOCK_DGRAM = 2;
    public const int SOCK_SEQPACKET = 5;
    public const int SOCK_NONBLOCK = 0x800;
    public const int SOCK_CLOEXEC = 0x80000;

    public const int SOL_SOCKET = 1;
    public const int SO_REUSEADDR = 2;
    public const int SO_ERROR = 4;
    public const int SO_SNDBUF = 7;
    public const int SO_RCVBUF = 8;
    public const int SO_PEERCRED = 17;
    public const int SO_SNDBUFFORCE = 32;
    public const int SO_RCVBUFFORCE = 33;
    public const int SO_BUSY_POLL = 46;
    public const int IPPROTO_IP = 0;
    public const int IP_MTU = 14;
    public const int IPPROTO_IPV6 = 41;
    public const int IPV6_MTU = 24;
    public const int IPV6_V6ONLY = 26;
    public const int SCM_RIGHTS = 1;

    public const int MSG_PEEK = 0x2;
    public const int MSG_CTRUNC = 0x8;
    public const int MSG_TRUNC = 0x20;
    public const int MSG_DONTWAIT = 0x40;
    public const int MSG_NOSIGNAL = 0x4000;
    public const int MSG_CMSG_CLOEXEC = 0x40000000;

    [LibraryImport("libc", SetLastError = true)]
    public static partial int socket(int domain, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int bind(int sockfd, void* addr, uint addrlen);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int listen(int sockfd, int backlog);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int accept4(int sockfd, void* addr, uint* addrlen, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int connect(int sockfd, void* addr, uint addrlen);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int socketpair(int domain, int type, int protocol, int* sv);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int getsockname(int sockfd, void* addr, uint* addrlen);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int getsockopt(int sockfd, int level, int optname, void* optval, uint* optlen);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int setsockopt(int sockfd, int level, int optname, void* optval, uint optlen);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint send(int sockfd, void* buf, nuint len, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint recv(int sockfd, void* buf, nuint len, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint sendmsg(int sockfd, msghdr* msg, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint recvmsg(int sockfd, msghdr* msg, int flags);

    /// <summary>Sends up to <paramref name="vlen"/> messages; an error is reported only if the first of them failed.</summary>
    [LibraryImport("libc", SetLastError = true)]
    public static partial int sendmmsg(int sockfd, mmsghdr* msgvec, uint vlen, int flags);

    /// <summary>Receives up to <paramref name="vlen"/> messages.</summary>
    [LibraryImport("libc", SetLastError = true)]
    public static partial int recvmmsg(int sockfd, mmsghdr* msgvec, uint vlen, int flags, void* timeout);

    /// <summary>Sets an integer option; false when it is refused (errno is left).</summary>
    public static bool TrySetOption(int sockfd, int level, int option, int value) =>
        setsockopt(sockfd, level, option, &value, sizeof(int)) == 0;

    /// <summary>Reads an integer option, or throws.</summary>
    public static int GetOption(int sockfd, int level, int option)
    {
        int value = 0;
        uint length = sizeof(int);
        ErrnoException.Check(getsockopt(sockfd, level, option, &value, &length), nameof(getsockopt));
        return value;
    }
}
