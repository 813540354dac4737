using System.Runtime.InteropServices;
using Rum.FastPath.Frames;
using Rum.FastPath.Linux;

namespace Rum.FastPath.Drivers.SharedMemory;

/// <summary>
/// A silo's end of the shared-memory transport: accepts clients of this machine and serves all their rings from one thread. A peer's address is its place
/// and the number of its connection, so an answer never reaches a later client in the same place. This file: connections come and go.
/// </summary>
/// <remarks>
/// Accepting, hang-ups and wake-ups meet in one epoll descriptor, which is what the owner blocks on; while it spins it is looked at every
/// <see cref="ReceivesPerLook"/> receives. Payloads received lie in memory that the client can still alter: who decodes one copies it first.
/// </remarks>
public sealed unsafe partial class SharedMemoryServerDriver : IDriver
{
    /// <summary>How many receives without a look at the sockets: a new client waits some tens of microseconds, a frame pays less than 1 ns.</summary>
    private const int ReceivesPerLook = 512;

    /// <summary>Frames per receive.</summary>
    private const int BurstMax = 256;

    private const int EventsMax = 64;
    private const ulong ListenerEvent = ulong.MaxValue;
    private const uint AddressMark = 0x53484D;

    private readonly SharedMemoryListener _listener;
    private readonly SharedMemoryOptions _options;
    private readonly FileDescriptor _epoll;
    private readonly MemoryMapping _memory;
    private readonly byte* _headers;
    private readonly SharedMemoryConnection?[] _places;
    private readonly SharedMemoryConnection[] _active;
    private int _activeCount;
    private ulong _generation;
    private bool _disposed;
    private SharedMemoryServerCounters _connections;

    /// <summary>Serves the clients that come to <paramref name="listener"/>, which it owns from now on.</summary>
    public SharedMemoryServerDriver(SharedMemoryListener listener, SharedMemoryOptions? options = null)
    {
        _listener = listener;
        _options = options ?? new SharedMemoryOptions();
        if (!RingLayout.IsLegal(_options.RingEntries))
            throw new ArgumentException($"A ring has a power of two of entries from {RingLayout.EntriesMin} to {RingLayout.EntriesMax}, not {_options.RingEntries}.", nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.ConnectionsMax, 1, nameof(options));
        _places = new SharedMemoryConnection?[_options.ConnectionsMax];
        _active = new SharedMemoryConnection[_options.ConnectionsMax];
        _memory = MemoryMapping.Anonymous(BurstMax * FrameHeader.Size);
        _headers = _memory.Pointer;
        _epoll = new FileDescriptor(Polling.epoll_create1(Polling.EPOLL_CLOEXEC), nameof(Polling.epoll_create1));
        Watch(listener.Descriptor, ListenerEvent);
    }

    /// <summary>Listens at a path and serves who comes. Throws <see cref="IOException"/>.</summary>
    public static SharedMemoryServerDriver Listen(string path, SharedMemoryOptions? options = null) => new(new SharedMemoryListener(path), options);

    /// <summary>A descriptor of memory that clients who connect from now on may read pages from; -1: none. The caller's, who keeps it open longer than this driver.</summary>
    public int Window { get; set; } = -1;

    /// <summary>Clients connected now.</summary>
    public int Connections => _activeCount;

    /// <summary>What became of clients since the start.</summary>
    public SharedMemoryServerCounters ConnectionCounters => _connections;

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        while (_activeCount > 0) Close(_activeCount - 1);
        _epoll.Dispose();
        _listener.Dispose();
        _memory.Dispose();
    }

    private void Watch(int descriptor, ulong data)
    {
        var wanted = new epoll_event { events = Polling.EPOLLIN | Polling.EPOLLRDHUP, data = data };
        ErrnoException.Check(Polling.epoll_ctl(_epoll.Value, Polling.EPOLL_CTL_ADD, descriptor, &wanted), nameof(Polling.epoll_ctl));
    }

    /// <summary>Takes in wake-ups, new clients and ends. Only while no received frame is in use, since it unmaps rings.</summary>
    private void LookAtSockets()
    {
        epoll_event* events = stackalloc epoll_event[EventsMax];
        int count = Polling.epoll_wait(_epoll.Value, events, EventsMax, 0);
        for (int i = 0; i < count; i++)
        {
            if (events[i].data == ListenerEvent) AcceptOne();
            else if (events[i].data < (ulong)_places.Length) _places[events[i].data]?.Drain();
        }

        for (int i = _activeCount - 1; i >= 0; i--)
            if (_active[i].Broken) Close(i);
    }

    private void AcceptOne()
    {
        int socket = _listener.Accept(out bool refused);
        if (refused) _connections.Refused++;
        if (socket < 0) return;
        int place = Array.IndexOf(_places, null);
        if (place < 0)
        {
            _connections.Refused++;
            _ = Descriptors.close(socket);
            return;
        }

        var address = new PeerAddress(++_generation, (ulong)place, AddressMark);
        SharedMemoryConnection? connection = SharedMemoryConnection.Open(socket, address, _options.RingEntries, Window);
        if (connection is null)
        {
            _connections.Refused++;
            return;
        }

        Watch(socket, (ulong)place);
        _places[place] = connection;
        _active[_activeCount++] = connection;
        _connections.Opened++;
    }

    /// <summary>Closes the connection at a position of the active list; the last one takes that position.</summary>
    private void Close(int position)
    {
        SharedMemoryConnection connection = _active[position];
        // Said explicitly: closing alone wouldn't end the watch while a child between fork and exec has the socket too.
        _ = Polling.epoll_ctl(_epoll.Value, Polling.EPOLL_CTL_DEL, connection.Socket, null);
        connection.Close();
        _places[connection.Address.Low] = null;
        _active[position] = _active[--_activeCount];
        _active[_activeCount] = null!;
        _connections.Closed++;
    }
}
