using System.Runtime.CompilerServices;
using Rum.Core;
using Rum.FastPath.Frames;
using Rum.FastPath.Tracing;

namespace Rum.FastPath.Drivers.Dpdk;

/// <content>Sending.</content>
public sealed unsafe partial class DpdkDriver
{
    private DriverCounters _counters;
    private bool _registered;

    /// <inheritdoc/>
    public DriverCounters Counters => _counters;

    /// <inheritdoc/>
    public int Send(ReadOnlySpan<TxFrame> frames)
    {
        if (!_registered) Register();
        int taken = 0;
        while (taken < frames.Length)
        {
            int count = Math.Min(frames.Length - taken, BurstMax);
            int sent = SendBurst(frames.Slice(taken, count));
            taken += sent;
            if (sent < count) break;
        }
        if (taken < frames.Length) _counters.SendBackPressure++;
        return taken;
    }

    private int SendBurst(ReadOnlySpan<TxFrame> frames)
    {
        int count = frames.Length, chained = 0;
        if (_disposed || NativeMethods.rum_dpdk_alloc(Port.SendPool, _tx, (uint)count) != 0) return 0;
        if (_fromPlace)
        {
            foreach (ref readonly TxFrame frame in frames) chained += frame.PayloadLength > 0 ? 1 : 0;
            if (chained > 0 && NativeMethods.rum_dpdk_alloc(Port.ChainPool, _segments, (uint)chained) != 0)
            {
                NativeMethods.rum_dpdk_free(_tx, (uint)count);
                return 0;
            }
        }
        int segment = 0;
        for (int i = 0; i < count; i++)
        {
            ref readonly TxFrame frame = ref frames[i];
            Invariant.Check((uint)frame.PayloadLength <= (uint)_maxPayload);
            var head = new Mbuf(_tx[i]);
            byte* data = head.Data;
            WriteHeaders(data, frame);
            Unsafe.CopyBlockUnaligned(data + _headers, frame.Header, FrameHeader.Size);
            int length = _headers + FrameHeader.Size;
            if (frame.PayloadLength > 0 && !_fromPlace)
            {
                Unsafe.CopyBlockUnaligned(data + length, frame.Payload, (uint)frame.PayloadLength);
                length += frame.PayloadLength;
            }
            head.SetLength(length);
            if (frame.PayloadLength > 0 && _fromPlace)
                NativeMethods.rum_dpdk_chain(_tx[i], _segments[segment++], frame.Payload, (ushort)frame.PayloadLength, _shared);
        }
        int sent = Hand(count);
        for (int i = 0; i < sent; i++)
        {
            _counters.BytesSent += FrameHeader.Size + frames[i].PayloadLength;
            if (!_fromPlace) _counters.BytesCopiedSending += frames[i].PayloadLength;
        }
        _counters.FramesSent += sent;
        return sent;
    }

    /// <summary>Hands the burst to the port; returns how many it is done with. What nobody can receive, because the peer hung up, is lost like a frame on the wire.</summary>
    private int Hand(int count)
    {
        ushort queue = Port.Queues == 1 ? (ushort)0 : (ushort)(_nextQueue++ % (uint)Port.Queues);
        _trace?.Note(Stage.Sending);
        int sent = NativeMethods.rum_dpdk_send(Port.Id, queue, _tx, (ushort)count);
        _trace?.Note(Stage.Sent);
        if (sent < count)
        {
            NativeMethods.rum_dpdk_free(_tx + sent, (uint)(count - sent));
            if (!CheckLink()) sent = count;
        }
        // Invariant: the payloads are the caller's again.
        if (_fromPlace) Invariant.Check(NativeMethods.rum_dpdk_shared(_shared) == 1);
        return sent;
    }

    // Bursts go to the queues in turn; it wraps around.
    private uint _nextQueue;

    // A thread that DPDK knows has a cache of buffers of its own; without it all goes slower, and nothing else changes.
    private void Register()
    {
        _registered = true;
        _ = NativeMethods.rum_dpdk_register_thread();
    }
}
