using System.Runtime.InteropServices;
using Rum.FastPath.Linux;

namespace Rum.FastPath.Drivers.SharedMemory;

/// <summary>The server's end of one connection: the region that it made, the two rings, the socket. Owned by the server driver's thread.</summary>
internal sealed unsafe class SharedMemoryConnection
{
    private readonly MemoryMapping _region;

    private SharedMemoryConnection(MemoryMapping region, int socket, PeerAddress address, int entries)
    {
        _region = region;
        Socket = socket;
        Address = address;
        In = new RingConsumer(region.Pointer, 0, entries);
        Out = new RingProducer(region.Pointer, 1, entries);
    }

    /// <summary>Requests. A field, because it is a struct that changes.</summary>
    public RingConsumer In;

    /// <summary>Answers.</summary>
    public RingProducer Out;

    /// <summary>Since when <see cref="Out"/> has been full without a break; 0: it isn't.</summary>
    public long FullSinceNs;

    /// <summary>Set when the client broke the rules or is gone; closed as soon as no frame of it is in use.</summary>
    public bool Broken;

    public int Socket { get; }

    public PeerAddress Address { get; }

    /// <summary>
    /// Makes the region and sends it to the client. Takes over the socket; null (and the socket closed) when the client is gone already.
    /// The region is sealed: a client that could shrink it could kill the server with SIGBUS. <paramref name="window"/>: memory to read pages from, which is sent too; -1: none.
    /// </summary>
    public static SharedMemoryConnection? Open(int socket, PeerAddress address, int entries, int window = -1)
    {
        long bytes = RingLayout.RegionBytes(entries);
        MemoryMapping? region = null;
        try
        {
            using var memory = new FileDescriptor(
                Mappings.memfd_create("rum-rings", Mappings.MFD_CLOEXEC | Mappings.MFD_ALLOW_SEALING), nameof(Mappings.memfd_create));
            ErrnoException.Check(Descriptors.ftruncate(memory.Value, bytes), nameof(Descriptors.ftruncate), $"{bytes} bytes");
            ErrnoException.Check(
                Descriptors.fcntl(memory.Value, Descriptors.F_ADD_SEALS, Descriptors.F_SEAL_SHRINK | Descriptors.F_SEAL_GROW | Descriptors.F_SEAL_SEAL),
                nameof(Descriptors.fcntl), "F_ADD_SEALS");
            region = new MemoryMapping(bytes, Mappings.PROT_READ | Mappings.PROT_WRITE, Mappings.MAP_SHARED | Mappings.MAP_POPULATE, memory.Value);
            SharedMemoryHello hello = SharedMemoryHello.For(entries, window >= 0);
            var offer = new SharedMemoryWindow { Magic = SharedMemoryWindow.MagicValue };
            if (UnixSocket.TrySendDescriptor(socket, MemoryMarshal.AsBytes(new ReadOnlySpan<SharedMemoryHello>(in hello)), memory.Value)
                && (window < 0 || UnixSocket.TrySendDescriptor(socket, MemoryMarshal.AsBytes(new ReadOnlySpan<SharedMemoryWindow>(in offer)), window)))
                return new SharedMemoryConnection(region, socket, address, entries);
        }
        catch (ErrnoException)
        {
            // Out of memory or of descriptors: this client is refused, the others are served.
        }

        region?.Dispose();
        _ = Descriptors.close(socket);
        return null;
    }

    /// <summary>Wakes the client; a byte is enough, and a full socket means that enough of them are there.</summary>
    public void Wake()
    {
        byte one = 1;
        if (Sockets.send(Socket, &one, 1, Sockets.MSG_DONTWAIT | Sockets.MSG_NOSIGNAL) < 0
            && Marshal.GetLastPInvokeError() is not (Errno.EAGAIN or Errno.EINTR)) Broken = true;
    }

    /// <summary>Takes in wake-ups; notes the end of the connection.</summary>
    public void Drain() => Broken |= !SharedMemorySocket.Drain(Socket);

    public void Close()
    {
        _ = Descriptors.close(Socket);
        _region.Dispose();
    }
}
