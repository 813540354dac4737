using System.Diagnostics;
using System.Runtime.InteropServices;
using Rum.Core;
using Rum.FastPath.Direct;
using Rum.FastPath.Frames;
using Rum.FastPath.Linux;

namespace Rum.FastPath.Drivers.SharedMemory;

/// <summary>A client's end of the shared-memory transport: one connection to one silo of this machine. This file is the set-up.</summary>
public sealed unsafe partial class SharedMemoryClientDriver : IDriver
{
    /// <summary>The silo. There is only one, so addresses of frames to send are not looked at.</summary>
    public static readonly PeerAddress Silo = new(0, 0, 0x53484D);

    private readonly FileDescriptor _socket;
    private readonly FileDescriptor _silence;
    private readonly MemoryMapping _region;
    private readonly MemoryMapping _headersMemory;
    private readonly byte* _headers;
    private readonly int _entries;
    private RingConsumer _in;
    private RingProducer _out;

    private SharedMemoryClientDriver(FileDescriptor socket, MemoryMapping region, int entries, DirectReader? direct)
    {
        Direct = direct;
        _socket = socket;
        _region = region;
        _entries = entries;
        _silence = new FileDescriptor(Descriptors.eventfd(0, Descriptors.EFD_CLOEXEC | Descriptors.EFD_NONBLOCK), nameof(Descriptors.eventfd));
        _headersMemory = MemoryMapping.Anonymous(entries * FrameHeader.Size);
        _headers = _headersMemory.Pointer;
        _in = new RingConsumer(region.Pointer, 1, entries);
        _out = new RingProducer(region.Pointer, 0, entries);
    }

    /// <summary>
    /// Connects to the silo that listens at <paramref name="path"/>; waits up to <paramref name="timeoutMs"/> for it. Throws <see cref="IOException"/>
    /// (no silo there, another user's, another version), so that a caller can go over to UDP.
    /// </summary>
    public static SharedMemoryClientDriver Connect(string path, int timeoutMs = 1000)
    {
        var socket = new FileDescriptor(
            Sockets.socket(Sockets.AF_UNIX, Sockets.SOCK_STREAM | Sockets.SOCK_NONBLOCK | Sockets.SOCK_CLOEXEC, 0), nameof(Sockets.socket));
        try
        {
            uint length = UnixSocket.WriteAddress(path, out sockaddr_un name);
            ErrnoException.Check(Sockets.connect(socket.Value, &name, length), nameof(Sockets.connect), path);
            if (!SharedMemoryListener.MayConnect(socket.Value)) throw new IOException($"The silo at {path} belongs to another user; memory is not shared with it.");
            long start = Stopwatch.GetTimestamp();
            using FileDescriptor memory = AwaitHello(socket.Value, path, timeoutMs, out int entries, out bool window);
            MemoryMapping region = Map(memory, path, entries);
            return new SharedMemoryClientDriver(socket, region, entries, window ? AwaitWindow(socket.Value, start, timeoutMs) : null);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public DirectReader? Direct { get; }

    /// <summary>Whether the silo hung up. Nothing arrives any more and what is sent is lost: connect anew. May be read by any thread.</summary>
    public bool Disconnected => Volatile.Read(ref _disconnected);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_socket.IsClosed) return;
        _socket.Dispose();
        _silence.Dispose();
        _region.Dispose();
        Direct?.Dispose();
        _headersMemory.Dispose();
    }

    private static FileDescriptor AwaitHello(int socket, string path, int timeoutMs, out int entries, out bool window)
    {
        long start = Stopwatch.GetTimestamp();
        SharedMemoryHello hello = default;
        Span<byte> bytes = MemoryMarshal.AsBytes(new Span<SharedMemoryHello>(ref hello));
        while (true)
        {
            int got = UnixSocket.ReceiveDescriptor(socket, bytes, out int descriptor);
            if (got > 0)
            {
                if (descriptor < 0) throw new IOException($"The silo at {path} sent no memory: it speaks another protocol.");
                var memory = new FileDescriptor(descriptor, nameof(Sockets.recvmsg));
                string? whyNot = got == bytes.Length ? hello.WhyNot() : "its greeting is too short";
                if (whyNot is null)
                {
                    entries = (int)hello.Entries;
                    window = hello.Window == 1;
                    return memory;
                }

                memory.Dispose();
                throw new IOException($"No shared memory with the silo at {path}: {whyNot}.");
            }

            int errno = Marshal.GetLastPInvokeError();
            if (got == 0 || errno == Errno.ECONNRESET) throw new IOException($"The silo at {path} refused: it serves as many clients as it may, or is ending.");
            if (errno is not (Errno.EAGAIN or Errno.EINTR)) throw new ErrnoException(nameof(Sockets.recvmsg), errno, path);
            long leftNs = timeoutMs * 1_000_000L - (long)Stopwatch.GetElapsedTime(start).TotalNanoseconds;
            if (leftNs <= 0) throw new IOException($"The silo at {path} didn't greet within {timeoutMs} ms.");
            Polling.WaitReadable([socket], leftNs);
        }
    }

    /// <summary>The silo's memory for reading, which it announced. Null where it can't be had or used: then pages come by messages.</summary>
    private static DirectReader? AwaitWindow(int socket, long start, int timeoutMs)
    {
        SharedMemoryWindow offer = default;
        Span<byte> bytes = MemoryMarshal.AsBytes(new Span<SharedMemoryWindow>(ref offer));
        while (true)
        {
            int got = UnixSocket.ReceiveDescriptor(socket, bytes, out int descriptor);
            if (descriptor >= 0)
            {
                using var memory = new FileDescriptor(descriptor, nameof(Sockets.recvmsg));
                return got == bytes.Length && offer.Magic == SharedMemoryWindow.MagicValue ? DirectReader.TryOpen(descriptor, out _) : null;
            }
            // The end of the stream, too, is seen by whoever uses the connection.
            if (got >= 0 || Marshal.GetLastPInvokeError() is not (Errno.EAGAIN or Errno.EINTR)) return null;
            long leftNs = (timeoutMs * 1_000_000L) - (long)Stopwatch.GetElapsedTime(start).TotalNanoseconds;
            if (leftNs <= 0) return null;
            Polling.WaitReadable([socket], leftNs);
        }
    }

    private static MemoryMapping Map(FileDescriptor memory, string path, int entries)
    {
        long bytes = RingLayout.RegionBytes(entries);
        const int Needed = Descriptors.F_SEAL_SHRINK | Descriptors.F_SEAL_SEAL;
        bool sealedWell = (Descriptors.fcntl(memory.Value, Descriptors.F_GET_SEALS, 0) & Needed) == Needed;
        if (!sealedWell || Descriptors.lseek(memory.Value, 0, Descriptors.SEEK_END) != bytes)
            throw new IOException($"The silo at {path} sent memory of the wrong size or that could be taken away again.");
        return new MemoryMapping(bytes, Mappings.PROT_READ | Mappings.PROT_WRITE, Mappings.MAP_SHARED | Mappings.MAP_POPULATE, memory.Value);
    }
}
