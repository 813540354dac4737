using System.Net;
using System.Runtime.InteropServices;
using Rum.Core;
using Rum.FastPath.Frames;
using Rum.FastPath.Linux;

namespace Rum.FastPath.Drivers.Udp;

/// <summary>
/// Frames as UDP datagrams over one non-blocking socket, IPv4 or IPv6 (an IPv6 wildcard socket serves both). Bursts go through
/// <c>sendmmsg</c> and <c>recvmmsg</c>; payloads land straight in the buffers that the caller lends. This file is the set-up.
/// </summary>
public sealed unsafe partial class UdpDriver : IDriver
{
    /// <summary>Frames per system call; longer bursts take several.</summary>
    public const int BurstMax = 64;

    /// <summary>Payload bytes accepted, whatever the own <see cref="DriverTraits.MaxPayload"/>: the peer may sit on another MTU.</summary>
    private const int ReceivePayloadMax = UdpDriverOptions.MaxPayloadMax;

    private readonly FileDescriptor _socket;
    private readonly MemoryMapping _memory;
    private readonly int _fd;
    private readonly bool _ipv6;
    private readonly int _maxPayload;

    // One mapping, cut into arrays of BurstMax: invariant: message i of a direction uses vectors 2i, 2i+1 and name i of that direction.
    private readonly mmsghdr* _txMessages;
    private readonly iovec* _txVectors;
    private readonly byte* _txNames;
    private readonly mmsghdr* _rxMessages;
    private readonly iovec* _rxVectors;
    private readonly byte* _rxNames;
    private readonly byte* _rxHeaders;
    private readonly byte* _rxPayloads;

    private UdpDriver(IPEndPoint local, int maxPayload, UdpDriverOptions options)
    {
        _ipv6 = UdpPeer.FamilyOf(local.Address) == Sockets.AF_INET6;
        _maxPayload = maxPayload;
        Traits = new DriverTraits("udp", maxPayload, Checksummed: true, Reliable: false, SendCostsSystemCall: true, UsesLanding: true);
        _socket = new FileDescriptor(
            Sockets.socket(UdpPeer.FamilyOf(local.Address), Sockets.SOCK_DGRAM | Sockets.SOCK_NONBLOCK | Sockets.SOCK_CLOEXEC, 0),
            nameof(Sockets.socket));
        _fd = _socket.Value;
        try
        {
            if (_ipv6) Sockets.TrySetOption(_fd, Sockets.IPPROTO_IPV6, Sockets.IPV6_V6ONLY, 0);
            ReceiveBufferBytes = Enlarge(Sockets.SO_RCVBUFFORCE, Sockets.SO_RCVBUF, options.ReceiveBufferBytes);
            SendBufferBytes = Enlarge(Sockets.SO_SNDBUFFORCE, Sockets.SO_SNDBUF, options.SendBufferBytes);
            byte* name = stackalloc byte[UdpPeer.SocketAddressMax];
            uint length = UdpPeer.WriteSocketAddress(UdpPeer.From(local), _ipv6, name);
            ErrnoException.Check(Sockets.bind(_fd, name, length), nameof(Sockets.bind), local.ToString());
            length = UdpPeer.SocketAddressMax;
            ErrnoException.Check(Sockets.getsockname(_fd, name, &length), nameof(Sockets.getsockname));
            LocalEndPoint = UdpPeer.ToEndPoint(UdpPeer.ReadSocketAddress(name));
            _memory = MemoryMapping.Anonymous(BurstMax * (2 * (sizeof(mmsghdr) + 2 * sizeof(iovec) + NameStride) + FrameHeader.Size + ReceivePayloadMax));
        }
        catch
        {
            _socket.Dispose();
            throw;
        }

        byte* next = _memory.Pointer;
        _rxPayloads = Take(ref next, BurstMax * ReceivePayloadMax);
        _rxHeaders = Take(ref next, BurstMax * FrameHeader.Size);
        _txMessages = (mmsghdr*)Take(ref next, BurstMax * sizeof(mmsghdr));
        _rxMessages = (mmsghdr*)Take(ref next, BurstMax * sizeof(mmsghdr));
        _txVectors = (iovec*)Take(ref next, BurstMax * 2 * sizeof(iovec));
        _rxVectors = (iovec*)Take(ref next, BurstMax * 2 * sizeof(iovec));
        _txNames = Take(ref next, BurstMax * NameStride);
        _rxNames = Take(ref next, BurstMax * NameStride);
        Lay(_txMessages, _txVectors, _txNames);
        Lay(_rxMessages, _rxVectors, _rxNames);
        for (int i = 0; i < BurstMax; i++)
            _rxVectors[2 * i] = new iovec { iov_base = _rxHeaders + i * FrameHeader.Size, iov_len = FrameHeader.Size };
    }

    /// <summary>Socket addresses stand 32 bytes apart.</summary>
    private const int NameStride = 32;

    /// <summary>Where the socket is bound, with the port that the kernel chose if 0 was asked for.</summary>
    public IPEndPoint LocalEndPoint { get; }

    /// <summary>Bytes of receive buffer granted (the kernel counts its own bookkeeping in, so twice what it calls the limit).</summary>
    public int ReceiveBufferBytes { get; }

    /// <summary>Bytes of send buffer granted.</summary>
    public int SendBufferBytes { get; }

    /// <summary>Opens a socket at a local end point (port 0: any). Throws <see cref="ErrnoException"/> naming the call and the address.</summary>
    public static UdpDriver Bind(IPEndPoint local, UdpDriverOptions? options = null)
    {
        options ??= new UdpDriverOptions();
        return new UdpDriver(local, CheckPayload(options.MaxPayload == 0 ? UdpPath.MaxPayloadFrom(local.Address) : options.MaxPayload), options);
    }

    /// <summary>
    /// Opens a client's socket on any port, for frames towards <paramref name="peers"/>: IPv6 if one of them is, the payload by the narrowest
    /// of their routes.
    /// </summary>
    public static UdpDriver Toward(IReadOnlyList<IPEndPoint> peers, UdpDriverOptions? options = null)
    {
        ArgumentOutOfRangeException.ThrowIfZero(peers.Count, nameof(peers));
        options ??= new UdpDriverOptions();
        bool ipv6 = false;
        int payload = UdpDriverOptions.MaxPayloadMax;
        foreach (IPEndPoint peer in peers)
        {
            ipv6 |= UdpPeer.FamilyOf(peer.Address) == Sockets.AF_INET6;
            payload = Math.Min(payload, UdpPath.MaxPayloadToward(peer));
        }

        var local = new IPEndPoint(ipv6 ? IPAddress.IPv6Any : IPAddress.Any, 0);
        return new UdpDriver(local, CheckPayload(options.MaxPayload == 0 ? payload : options.MaxPayload), options);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_socket.IsClosed) return;
        _socket.Dispose();
        _memory.Dispose();
    }

    private static int CheckPayload(int maxPayload)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxPayload, UdpDriverOptions.MaxPayloadMin, nameof(UdpDriverOptions.MaxPayload));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maxPayload, UdpDriverOptions.MaxPayloadMax, nameof(UdpDriverOptions.MaxPayload));
        return maxPayload;
    }

    private static byte* Take(ref byte* next, int bytes)
    {
        byte* taken = next;
        next += bytes;
        return taken;
    }

    private static void Lay(mmsghdr* messages, iovec* vectors, byte* names)
    {
        for (int i = 0; i < BurstMax; i++)
            messages[i].msg_hdr = new msghdr { msg_name = names + i * NameStride, msg_namelen = UdpPeer.SocketAddressMax, msg_iov = vectors + 2 * i, msg_iovlen = 2 };
    }

    /// <summary>Beyond the system's limit if privileged, up to it if not.</summary>
    private int Enlarge(int force, int ordinary, int bytes)
    {
        if (!Sockets.TrySetOption(_fd, Sockets.SOL_SOCKET, force, bytes)) Sockets.TrySetOption(_fd, Sockets.SOL_SOCKET, ordinary, bytes);
        return Sockets.GetOption(_fd, Sockets.SOL_SOCKET, ordinary);
    }
}
