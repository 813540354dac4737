using System.Runtime.InteropServices;
using Rum.Core;
using Rum.FastPath.Frames;
using Rum.FastPath.Linux;

namespace Rum.FastPath.Drivers.Udp;

public sealed unsafe partial class UdpDriver
{
    /// <summary>How often one frame is tried when the socket reports an error of an earlier one instead of sending.</summary>
    private const int SendTries = 3;

    private DriverCounters _counters;
    private bool _held;

    /// <inheritdoc/>
    public DriverTraits Traits { get; }

    /// <inheritdoc/>
    public DriverCounters Counters => _counters;

    /// <inheritdoc/>
    public int WaitDescriptor => _fd;

    /// <inheritdoc/>
    /// <remarks>The socket's readiness is a level, so nothing can be missed between this and the wait.</remarks>
    public bool PrepareWait() => true;

    /// <inheritdoc/>
    public void FinishWait()
    {
    }

    /// <inheritdoc/>
    public int Send(ReadOnlySpan<TxFrame> frames)
    {
        int taken = 0;
        while (taken < frames.Length)
        {
            int count = Math.Min(frames.Length - taken, BurstMax);
            for (int i = 0; i < count; i++)
            {
                ref readonly TxFrame frame = ref frames[taken + i];
                Invariant.Check((uint)frame.PayloadLength <= (uint)_maxPayload);
                // A length of 0 (peer of the other family) makes the kernel refuse this frame, which then counts as lost.
                _txMessages[i].msg_hdr.msg_namelen = UdpPeer.WriteSocketAddress(frame.Peer, _ipv6, _txNames + i * NameStride);
                _txVectors[2 * i] = new iovec { iov_base = frame.Header, iov_len = FrameHeader.Size };
                _txVectors[2 * i + 1] = new iovec { iov_base = frame.Payload, iov_len = (nuint)frame.PayloadLength };
            }

            int sent = SendBatch(count);
            for (int i = 0; i < sent; i++) _counters.BytesSent += FrameHeader.Size + frames[taken + i].PayloadLength;
            _counters.FramesSent += sent;
            taken += sent;
            if (sent < count) break;
        }

        if (taken < frames.Length) _counters.SendBackPressure++;
        return taken;
    }

    /// <summary>
    /// Sends the first <paramref name="count"/> messages; returns how many are done with. A frame that the kernel refuses for a reason of its own
    /// (no route, port unreachable, wrong family) is lost like one on the wire: the rooms above resend or give up by time.
    /// </summary>
    private int SendBatch(int count)
    {
        int done = 0, tries = 0;
        while (done < count)
        {
            int sent = Sockets.sendmmsg(_fd, _txMessages + done, (uint)(count - done), Sockets.MSG_DONTWAIT | Sockets.MSG_NOSIGNAL);
            if (sent > 0)
            {
                done += sent;
                tries = 0;
                continue;
            }

            int errno = Marshal.GetLastPInvokeError();
            if (errno is Errno.EAGAIN or Errno.ENOBUFS or Errno.ENOMEM) break;
            if (errno == Errno.EINTR) continue;
            if (++tries < SendTries && errno is Errno.ECONNREFUSED or Errno.EHOSTUNREACH or Errno.ENETUNREACH) continue;
            done++;
            tries = 0;
        }

        return done;
    }

    /// <inheritdoc/>
    public int Receive(Span<RxFrame> frames)
    {
        Invariant.Check(!_held);
        int want = Math.Min(frames.Length, BurstMax);
        for (int i = 0; i < want; i++)
        {
            byte* landing = frames[i].Landing;
            _rxMessages[i].msg_hdr.msg_namelen = UdpPeer.SocketAddressMax;
            _rxVectors[2 * i + 1] = new iovec { iov_base = landing != null ? landing : _rxPayloads + i * ReceivePayloadMax, iov_len = ReceivePayloadMax };
        }

        int received = Sockets.recvmmsg(_fd, _rxMessages, (uint)want, Sockets.MSG_DONTWAIT, null);
        if (received <= 0) return 0; // Nothing there, a signal, or the late news of a lost frame (ICMP), which is no error here.
        int kept = 0;
        for (int i = 0; i < received; i++)
        {
            int bytes = (int)_rxMessages[i].msg_len;
            if (bytes < FrameHeader.Size || (_rxMessages[i].msg_hdr.msg_flags & Sockets.MSG_TRUNC) != 0)
            {
                _counters.FramesDropped++;
                continue;
            }

            Keep(frames, kept++, i, bytes - FrameHeader.Size);
            _counters.BytesReceived += bytes;
        }

        _counters.FramesReceived += kept;
        _held = kept > 0;
        return kept;
    }

    /// <summary>Reports message <paramref name="message"/> as frame <paramref name="to"/>; they differ once a frame before it was dropped.</summary>
    private void Keep(Span<RxFrame> frames, int to, int message, int payload)
    {
        // The lent buffer stays with the message that filled it: the dropped frame's buffer, still unused, changes places with it.
        ref RxFrame frame = ref frames[to];
        byte* landing = frames[message].Landing;
        frames[message].Landing = frame.Landing;
        frame.Landing = landing;
        frame.Peer = UdpPeer.ReadSocketAddress(_rxNames + message * NameStride);
        frame.Header = _rxHeaders + message * FrameHeader.Size;
        frame.Payload = payload == 0 ? null : (byte*)_rxVectors[2 * message + 1].iov_base;
        frame.PayloadLength = payload;
    }

    /// <inheritdoc/>
    public void Release() => _held = false;
}
