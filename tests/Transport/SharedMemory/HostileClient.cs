using System.Runtime.InteropServices;
using Rum.FastPath.Drivers.SharedMemory;
using Rum.FastPath.Linux;

namespace Rum.Transport.Tests.SharedMemory;

/// <summary>A client that maps the region like a proper one and then writes into it what it likes. Offsets are RingLayout's.</summary>
internal sealed unsafe class HostileClient : IDisposable
{
    public const int RequestTail = 0, AnswerHead = 512 + 128, EntriesAt = 4096, EntryStride = 4288;

    private readonly FileDescriptor _socket;
    private readonly MemoryMapping _region;

    public HostileClient(SharedMemoryServerDriver server, string path)
    {
        _socket = new FileDescriptor(Sockets.socket(Sockets.AF_UNIX, Sockets.SOCK_STREAM, 0), "socket");
        uint length = UnixSocket.WriteAddress(path, out sockaddr_un name);
        ErrnoException.Check(Sockets.connect(_socket.Value, &name, length), "connect");
        long before = server.ConnectionCounters.Opened;
        bool taken = SharedMemoryPair.Poll(server, () => server.ConnectionCounters.Opened > before);
        Assert.True(taken, $"The server didn't take the connection; it refused {server.ConnectionCounters.Refused}.");

        byte[] hello = new byte[40];
        Assert.Equal(hello.Length, UnixSocket.ReceiveDescriptor(_socket.Value, hello, out int descriptor));
        using var memory = new FileDescriptor(descriptor, "recvmsg");
        long bytes = Descriptors.lseek(memory.Value, 0, Descriptors.SEEK_END);
        Assert.Equal(-1, Descriptors.ftruncate(memory.Value, 0)); // Sealed: else it could kill the server with SIGBUS.
        _region = new MemoryMapping(bytes, Mappings.PROT_READ | Mappings.PROT_WRITE, Mappings.MAP_SHARED, memory.Value);
    }

    public Span<byte> Region => new(_region.Pointer, (int)_region.Length);

    public void Set(int offset, uint value) => Volatile.Write(ref *(uint*)(_region.Pointer + offset), value);

    public uint Get(int offset) => Volatile.Read(ref *(uint*)(_region.Pointer + offset));

    /// <summary>Whether the server hung up.</summary>
    public bool HungUp
    {
        get
        {
            byte[] wakes = new byte[64];
            fixed (byte* to = wakes)
            {
                nint got;
                do got = Sockets.recv(_socket.Value, to, 64, Sockets.MSG_DONTWAIT);
                while (got > 0);
                return got == 0 || Marshal.GetLastPInvokeError() == Errno.ECONNRESET;
            }
        }
    }

    public void Dispose()
    {
        _socket.Dispose();
        _region.Dispose();
    }
}
