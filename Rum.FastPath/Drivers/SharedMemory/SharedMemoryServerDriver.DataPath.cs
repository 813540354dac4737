using Rum.Core;
using Rum.FastPath.Frames;
using Rum.FastPath.Linux;

namespace Rum.FastPath.Drivers.SharedMemory;

// The data path.
public sealed unsafe partial class SharedMemoryServerDriver
{
    private DriverCounters _counters;
    private int _receives;
    private int _turn;
    private bool _held;

    /// <inheritdoc/>
    public DriverTraits Traits { get; } = SharedMemoryTraits.Value;

    /// <inheritdoc/>
    public DriverCounters Counters => _counters;

    /// <inheritdoc/>
    public int WaitDescriptor => _epoll.Value;

    /// <inheritdoc/>
    public int Send(ReadOnlySpan<TxFrame> frames)
    {
        SharedMemoryConnection? current = null;
        int taken = 0;
        for (; taken < frames.Length; taken++)
        {
            ref readonly TxFrame frame = ref frames[taken];
            Invariant.Check((uint)frame.PayloadLength <= RingLayout.PayloadMax);
            if (current is null || current.Address != frame.Peer)
            {
                Publish(current);
                current = Find(frame.Peer);
            }

            if (current is not null && !TryPut(current, frame)) break;
            _counters.BytesSent += FrameHeader.Size + frame.PayloadLength;
        }

        Publish(current);
        _counters.FramesSent += taken;
        if (taken < frames.Length) _counters.SendBackPressure++;
        return taken;
    }

    /// <inheritdoc/>
    public int Receive(Span<RxFrame> frames)
    {
        Invariant.Check(!_held);
        if (++_receives >= ReceivesPerLook)
        {
            _receives = 0;
            LookAtSockets();
        }

        int received = 0, most = Math.Min(frames.Length, BurstMax);
        // Each receive begins with the next client, so that a busy one can't starve the others.
        if (++_turn >= _activeCount) _turn = 0;
        for (int i = 0, position = _turn; i < _activeCount && received < most; i++)
        {
            SharedMemoryConnection connection = _active[position];
            if (++position == _activeCount) position = 0;
            if (connection.Broken) continue;
            RingResult result = connection.In.Take(
                frames[received..most], _headers + received * FrameHeader.Size, connection.Address, out int count, out long bytes);
            received += count;
            _counters.BytesReceived += bytes;
            if (result == RingResult.Violated) Violate(connection);
        }

        _counters.FramesReceived += received;
        _held = received > 0;
        return received;
    }

    /// <inheritdoc/>
    public void Release()
    {
        if (!_held) return;
        _held = false;
        for (int i = 0; i < _activeCount; i++) _active[i].In.Release();
    }

    /// <inheritdoc/>
    public bool PrepareWait()
    {
        for (int i = 0; i < _activeCount; i++) _active[i].In.Announce();
        Interlocked.MemoryBarrier(); // Pairs with the one in RingProducer.Publish.
        bool more = false;
        for (int i = 0; i < _activeCount; i++) more |= _active[i].Broken || _active[i].In.HasMore;
        if (more) Withdraw();
        return !more;
    }

    /// <inheritdoc/>
    public void FinishWait()
    {
        Withdraw();
        if (_held) return; // Rings may not be unmapped now; the next look is soon enough.
        _receives = 0;
        LookAtSockets();
    }

    private void Withdraw()
    {
        for (int i = 0; i < _activeCount; i++) _active[i].In.Withdraw();
    }

    private SharedMemoryConnection? Find(PeerAddress peer)
    {
        if (peer.Low >= (ulong)_places.Length) return null;
        SharedMemoryConnection? connection = _places[peer.Low];
        return connection is not null && connection.Address == peer && !connection.Broken ? connection : null;
    }

    private static void Publish(SharedMemoryConnection? connection)
    {
        if (connection is not null && connection.Out.Publish()) connection.Wake();
    }

    /// <summary>False: the ring is full, try later. True: written, or lost because the client is at fault.</summary>
    private bool TryPut(SharedMemoryConnection connection, in TxFrame frame)
    {
        switch (connection.Out.TryWrite(frame))
        {
            case RingResult.Done:
                connection.FullSinceNs = 0;
                return true;
            case RingResult.Violated:
                Violate(connection);
                return true;
            default:
                // Shown and woken before the full ring is blamed on the client.
                Publish(connection);
                long now = MonotonicClock.NowNs;
                if (connection.FullSinceNs == 0) connection.FullSinceNs = now;
                if (now - connection.FullSinceNs < _options.StallNs) return false;
                _connections.FramesStalled++;
                return true;
        }
    }

    private void Violate(SharedMemoryConnection connection)
    {
        if (connection.Broken) return;
        connection.Broken = true;
        _counters.FramesDropped++;
        _connections.Violations++;
    }
}
