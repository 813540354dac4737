using System.Runtime.CompilerServices;
using Rum.FastPath.Frames;

namespace Rum.FastPath.Drivers.SharedMemory;

/// <summary>The receiving end of a ring. Owned by one thread. See <see cref="RingLayout"/> for the discipline.</summary>
internal unsafe struct RingConsumer(byte* region, int direction, int entries)
{
    private readonly byte* _words = RingLayout.Words(region, direction);
    private readonly byte* _entries = RingLayout.Entries(region, direction, entries);
    private readonly uint _size = (uint)entries;
    private uint _head; // Entries given back.
    private uint _taken; // Entries looked at; invariant: _taken - _head <= _size.

    /// <summary>
    /// Takes what has arrived, up to the length of <paramref name="frames"/>. Headers are copied to <paramref name="headers"/>, one after the other;
    /// payloads stay in the ring until <see cref="Release"/> (a hostile producer could still alter them).
    /// </summary>
    public RingResult Take(Span<RxFrame> frames, byte* headers, PeerAddress peer, out int count, out long bytes)
    {
        count = 0;
        bytes = 0;
        uint available = Volatile.Read(ref *(uint*)(_words + RingLayout.TailAt)) - _taken;
        if (available == 0) return RingResult.Unavailable;
        if (available > _size - (_taken - _head)) return RingResult.Violated;
        int want = (int)Math.Min(available, (uint)frames.Length);
        for (; count < want; count++)
        {
            byte* entry = _entries + (_taken & _size - 1) * (long)RingLayout.EntryStride;
            uint length = Volatile.Read(ref *(uint*)(entry + RingLayout.LengthAt)); // Once: it may change under our feet.
            if (length > RingLayout.PayloadMax) return RingResult.Violated;
            byte* header = headers + count * FrameHeader.Size;
            Unsafe.CopyBlock(header, entry + RingLayout.HeaderAt, FrameHeader.Size);
            ref RxFrame frame = ref frames[count];
            frame.Peer = peer;
            frame.Header = header;
            frame.Payload = length == 0 ? null : entry + RingLayout.PayloadAt;
            frame.PayloadLength = (int)length;
            bytes += FrameHeader.Size + length;
            _taken++;
        }

        return RingResult.Done;
    }

    /// <summary>Gives the entries taken back to the producer.</summary>
    public void Release()
    {
        if (_head == _taken) return;
        _head = _taken;
        Volatile.Write(ref *(uint*)(_words + RingLayout.HeadAt), _head);
    }

    /// <summary>Whether something has arrived (or the producer's index is broken, which the next <see cref="Take"/> finds).</summary>
    public readonly bool HasMore => Volatile.Read(ref *(uint*)(_words + RingLayout.TailAt)) != _taken;

    /// <summary>Says that the owner is about to block. The caller puts a full fence between this and <see cref="HasMore"/>.</summary>
    public readonly void Announce() => Volatile.Write(ref *(uint*)(_words + RingLayout.SleepingAt), 1);

    /// <summary>Ends <see cref="Announce"/>.</summary>
    public readonly void Withdraw() => Volatile.Write(ref *(uint*)(_words + RingLayout.SleepingAt), 0);
}
