using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Rum.FastPath.Linux;

/// <summary>Unix sockets: addresses, descriptors sent along with data, and who the other end is.</summary>
public static unsafe class UnixSocket
{
    private const int ControlBytes = 24; // CMSG_SPACE(sizeof(int)): 16 of head, 4 of data, 4 of padding.

    /// <summary>Fills an address with a path and returns its length. Throws when the path doesn't fit.</summary>
    public static uint WriteAddress(string path, out sockaddr_un name)
    {
        Unsafe.SkipInit(out name);
        name = default;
        name.sun_family = Sockets.AF_UNIX;
        int bytes = Encoding.UTF8.GetByteCount(path);
        if (bytes is 0 or >= sockaddr_un.PathBytesMax)
            throw new ArgumentException($"A Unix socket's path has 1 to {sockaddr_un.PathBytesMax - 1} bytes, not {bytes}: '{path}'.", nameof(path));
        fixed (byte* to = name.sun_path) Encoding.UTF8.GetBytes(path, new Span<byte>(to, sockaddr_un.PathBytesMax));
        return (uint)(sizeof(ushort) + bytes + 1);
    }

    /// <summary>The user at the other end of a connected socket.</summary>
    public static uint PeerUser(int socket)
    {
        ucred peer;
        uint length = (uint)sizeof(ucred);
        ErrnoException.Check(Sockets.getsockopt(socket, Sockets.SOL_SOCKET, Sockets.SO_PEERCRED, &peer, &length), nameof(Sockets.getsockopt), "SO_PEERCRED");
        return peer.uid;
    }

    /// <summary>Sends bytes and one descriptor with them, without waiting. Returns false with errno left when it can't.</summary>
    public static bool TrySendDescriptor(int socket, ReadOnlySpan<byte> data, int descriptor)
    {
        byte* control = stackalloc byte[ControlBytes];
        new Span<byte>(control, ControlBytes).Clear();
        *(cmsghdr*)control = new cmsghdr
        {
            cmsg_len = (nuint)(sizeof(cmsghdr) + sizeof(int)),
            cmsg_level = Sockets.SOL_SOCKET,
            cmsg_type = Sockets.SCM_RIGHTS,
        };
        *(int*)(control + sizeof(cmsghdr)) = descriptor;
        fixed (byte* bytes = data)
        {
            var vector = new iovec { iov_base = bytes, iov_len = (nuint)data.Length };
            var message = new msghdr { msg_iov = &vector, msg_iovlen = 1, msg_control = control, msg_controllen = ControlBytes };
            return Sockets.sendmsg(socket, &message, Sockets.MSG_DONTWAIT | Sockets.MSG_NOSIGNAL) == data.Length;
        }
    }

    /// <summary>Receives bytes and the descriptor that came with them (-1: none), without waiting. Returns the bytes, 0 at the end, -1 with errno left.</summary>
    public static int ReceiveDescriptor(int socket, Span<byte> data, out int descriptor)
    {
        descriptor = -1;
        byte* control = stackalloc byte[ControlBytes];
        fixed (byte* bytes = data)
        {
            var vector = new iovec { iov_base = bytes, iov_len = (nuint)data.Length };
            var message = new msghdr { msg_iov = &vector, msg_iovlen = 1, msg_control = control, msg_controllen = ControlBytes };
            int received = (int)Sockets.recvmsg(socket, &message, Sockets.MSG_DONTWAIT | Sockets.MSG_CMSG_CLOEXEC);
            if (received <= 0) return received;
            var head = (cmsghdr*)control;
            if (message.msg_controllen >= (nuint)(sizeof(cmsghdr) + sizeof(int)) && head->cmsg_level == Sockets.SOL_SOCKET
                && head->cmsg_type == Sockets.SCM_RIGHTS && head->cmsg_len >= (nuint)(sizeof(cmsghdr) + sizeof(int)))
                descriptor = *(int*)(control + sizeof(cmsghdr));
            return received;
        }
    }
}
