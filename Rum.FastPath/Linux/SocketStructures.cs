using System.Runtime.InteropServices;

namespace Rum.FastPath.Linux;

// The structures of <sys/socket.h>, <netinet/in.h> and <sys/un.h> on x86-64, under their C names; sizes are checked by a test.

/// <summary>A piece of memory to gather from or scatter to.</summary>
public unsafe struct iovec
{
    public void* iov_base;
    public nuint iov_len;
}

/// <summary>One message. 56 bytes.</summary>
public unsafe struct msghdr
{
    public void* msg_name;
    public uint msg_namelen;
    public iovec* msg_iov;
    public nuint msg_iovlen;
    public void* msg_control;
    public nuint msg_controllen;
    public int msg_flags;
}

/// <summary>One message of a burst. 64 bytes.</summary>
public struct mmsghdr
{
    public msghdr msg_hdr;
    public uint msg_len;
}

/// <summary>The head of an ancillary message; its data follows at once (16 bytes is aligned).</summary>
public struct cmsghdr
{
    public nuint cmsg_len;
    public int cmsg_level;
    public int cmsg_type;
}

/// <summary>An IPv4 socket address; port and address in network order.</summary>
public unsafe struct sockaddr_in
{
    public ushort sin_family;
    public ushort sin_port;
    public uint sin_addr;
    public fixed byte sin_zero[8];
}

/// <summary>An IPv6 socket address; port and address in network order.</summary>
public unsafe struct sockaddr_in6
{
    public ushort sin6_family;
    public ushort sin6_port;
    public uint sin6_flowinfo;
    public fixed byte sin6_addr[16];
    public uint sin6_scope_id;
}

/// <summary>A Unix socket address; the path ends with a zero byte.</summary>
[StructLayout(LayoutKind.Sequential, Size = 110)]
public unsafe struct sockaddr_un
{
    /// <summary>Bytes for the path, its zero byte included.</summary>
    public const int PathBytesMax = 108;

    public ushort sun_family;
    public fixed byte sun_path[PathBytesMax];
}

/// <summary>Who is at the other end of a Unix socket (SO_PEERCRED).</summary>
public struct ucred
{
    public int pid;
    public uint uid;
    public uint gid;
}
