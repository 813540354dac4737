using System.Runtime.CompilerServices;
using Rum.Core;
using Rum.FastPath.Frames;
using Rum.FastPath.Tracing;

namespace Rum.FastPath.Drivers.Dpdk;

/// <content>Receiving.</content>
public sealed unsafe partial class DpdkDriver
{
    // Buffers _next to _ready of _rx have come and were not looked at yet; the first _heldCount of _held are those that the caller looks at.
    private int _next, _ready, _heldCount;
    private int _pollQueue;

    /// <inheritdoc/>
    public int Receive(Span<RxFrame> frames)
    {
        Invariant.Check(_heldCount == 0);
        if (!_registered) Register();
        if (_next == _ready && Fetch(Math.Min(frames.Length, BurstMax)) == 0) return 0;
        int kept = 0;
        while (_next < _ready && kept < frames.Length)
        {
            void* buffer = _rx[_next++];
            if (Look(buffer, ref frames[kept])) _held[kept++] = buffer;
            else NativeMethods.rum_dpdk_free(&buffer, 1);
        }
        _heldCount = kept;
        return kept;
    }

    /// <inheritdoc/>
    public void Release()
    {
        if (_heldCount == 0) return;
        NativeMethods.rum_dpdk_free(_held, (uint)_heldCount);
        _heldCount = 0;
    }

    /// <summary>Takes a burst from the next queue that has one.</summary>
    private int Fetch(int want)
    {
        _next = _ready = 0;
        if (_disposed) return 0;
        for (int i = 0; i < Port.Queues && _ready == 0; i++)
        {
            _ready = NativeMethods.rum_dpdk_receive(Port.Id, (ushort)_pollQueue, _rx, (ushort)want);
            if (++_pollQueue >= Port.Queues) _pollQueue = 0;
        }
        if (_ready > 0) _trace?.Note(Stage.Received);
        else if ((++_emptyPolls & LinkPolls) == 0) CheckLink();
        return _ready;
    }

    private bool Look(void* buffer, ref RxFrame frame)
    {
        var mbuf = new Mbuf(buffer);
        byte* at = mbuf.Data;
        int length = (int)mbuf.FrameLength;
        bool split = mbuf.Segments > 1;
        if (split)
        {
            if (length > LinearStride)
            {
                _counters.FramesDropped++;
                return false;
            }
            at = Join(mbuf);
        }
        switch (Judge(ref at, ref length, mbuf.Flags, out frame.Peer))
        {
            case Verdict.Foreign:
                _counters.FramesForeign++;
                return false;
            case Verdict.Ours when length >= FrameHeader.Size && length <= FrameHeader.Size + Layout.PageSize:
                break;
            default:
                _counters.FramesDropped++;
                return false;
        }
        frame.Header = at;
        frame.PayloadLength = length - FrameHeader.Size;
        frame.Payload = frame.PayloadLength == 0 ? null : at + FrameHeader.Size;
        _counters.FramesReceived++;
        _counters.BytesReceived += length;
        if (split) _counters.BytesCopiedReceiving += frame.PayloadLength;
        return true;
    }

    /// <summary>Puts a frame that came in several segments together; its place is its buffer's in the burst.</summary>
    private byte* Join(Mbuf first)
    {
        byte* start = _linear + ((_next - 1) * LinearStride), to = start;
        for (Mbuf part = first; ; part = new Mbuf(part.Next))
        {
            Unsafe.CopyBlockUnaligned(to, part.Data, part.DataLength);
            to += part.DataLength;
            if (part.Next == null) return start;
        }
    }
}
