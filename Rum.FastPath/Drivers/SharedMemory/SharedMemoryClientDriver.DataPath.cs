using System.Runtime.InteropServices;
using Rum.Core;
using Rum.FastPath.Frames;
using Rum.FastPath.Linux;

namespace Rum.FastPath.Drivers.SharedMemory;

// The data path.
public sealed unsafe partial class SharedMemoryClientDriver
{
    /// <summary>How many fruitless tries without a look whether the silo still lives.</summary>
    private const int TriesPerLook = 1024;

    private DriverCounters _counters;
    private int _tries;
    private bool _held;
    private bool _disconnected;
    private bool _violated; // The silo broke the rules: nothing of its ring is believed any more.

    /// <inheritdoc/>
    public DriverTraits Traits { get; } = SharedMemoryTraits.Value;

    /// <inheritdoc/>
    public DriverCounters Counters => _counters;

    /// <inheritdoc/>
    /// <remarks>Stays valid, and silent, when the silo is gone.</remarks>
    public int WaitDescriptor => _socket.Value;

    /// <inheritdoc/>
    public int Send(ReadOnlySpan<TxFrame> frames)
    {
        int taken = 0;
        for (; taken < frames.Length; taken++)
        {
            ref readonly TxFrame frame = ref frames[taken];
            Invariant.Check((uint)frame.PayloadLength <= RingLayout.PayloadMax);
            RingResult result = _disconnected ? RingResult.Done : _out.TryWrite(frame);
            if (result == RingResult.Violated) Violate();
            else if (result == RingResult.Unavailable)
            {
                Publish();
                LookNowAndThen();
                if (!_disconnected) break;
            }

            _counters.BytesSent += FrameHeader.Size + frame.PayloadLength;
        }

        Publish();
        _counters.FramesSent += taken;
        if (taken < frames.Length) _counters.SendBackPressure++;
        return taken;
    }

    /// <inheritdoc/>
    public int Receive(Span<RxFrame> frames)
    {
        Invariant.Check(!_held);
        if (_violated) return 0;
        Span<RxFrame> most = frames[..Math.Min(frames.Length, _entries)];
        RingResult result = _in.Take(most, _headers, Silo, out int count, out long bytes);
        if (result == RingResult.Violated)
        {
            Violate();
        }
        else if (result == RingResult.Unavailable) LookNowAndThen();

        _counters.FramesReceived += count;
        _counters.BytesReceived += bytes;
        _held = count > 0;
        return count;
    }

    /// <inheritdoc/>
    public void Release()
    {
        _held = false;
        _in.Release();
    }

    /// <inheritdoc/>
    public bool PrepareWait()
    {
        _in.Announce();
        Interlocked.MemoryBarrier(); // Pairs with the one in RingProducer.Publish.
        if (!_in.HasMore) return true;
        _in.Withdraw();
        return false;
    }

    /// <inheritdoc/>
    public void FinishWait()
    {
        _in.Withdraw();
        Look();
    }

    /// <inheritdoc/>
    public void Look()
    {
        _tries = 0;
        if (!_disconnected && !SharedMemorySocket.Drain(_socket.Value)) Disconnect();
    }

    private void Publish()
    {
        if (_disconnected || !_out.Publish()) return;
        byte one = 1;
        if (Sockets.send(_socket.Value, &one, 1, Sockets.MSG_DONTWAIT | Sockets.MSG_NOSIGNAL) < 0
            && Marshal.GetLastPInvokeError() is not (Errno.EAGAIN or Errno.EINTR)) Disconnect();
    }

    private void LookNowAndThen()
    {
        if (++_tries >= TriesPerLook) Look();
    }

    private void Violate()
    {
        _violated = true;
        _counters.FramesDropped++;
        Disconnect();
    }

    /// <summary>
    /// The end of the connection. A descriptor that never becomes readable takes the socket's number: an owner that still waits for it would
    /// otherwise be woken without end.
    /// </summary>
    private void Disconnect()
    {
        if (_disconnected) return;
        Volatile.Write(ref _disconnected, true);
        _ = Descriptors.dup3(_silence.Value, _socket.Value, Descriptors.O_CLOEXEC);
    }
}
