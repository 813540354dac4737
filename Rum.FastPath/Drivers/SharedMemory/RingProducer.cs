using System.Runtime.CompilerServices;
using Rum.FastPath.Frames;

namespace Rum.FastPath.Drivers.SharedMemory;

/// <summary>The sending end of a ring. Owned by one thread. See <see cref="RingLayout"/> for the discipline.</summary>
internal unsafe struct RingProducer(byte* region, int direction, int entries)
{
    private readonly byte* _words = RingLayout.Words(region, direction);
    private readonly byte* _entries = RingLayout.Entries(region, direction, entries);
    private readonly uint _size = (uint)entries;
    private uint _tail;
    private uint _published;
    private uint _head; // The consumer's head as last read; invariant: _tail - _head <= _size.

    /// <summary>Writes a frame behind those not yet published.</summary>
    public RingResult TryWrite(in TxFrame frame)
    {
        if (_tail - _head == _size)
        {
            uint head = Volatile.Read(ref *(uint*)(_words + RingLayout.HeadAt));
            if (_tail - head > _size) return RingResult.Violated;
            _head = head;
            if (_tail - head == _size) return RingResult.Unavailable;
        }

        byte* entry = _entries + (_tail & _size - 1) * (long)RingLayout.EntryStride;
        *(uint*)(entry + RingLayout.LengthAt) = (uint)frame.PayloadLength;
        Unsafe.CopyBlock(entry + RingLayout.HeaderAt, frame.Header, FrameHeader.Size);
        if (frame.PayloadLength > 0) Buffer.MemoryCopy(frame.Payload, entry + RingLayout.PayloadAt, RingLayout.PayloadMax, frame.PayloadLength);
        _tail++;
        return RingResult.Done;
    }

    /// <summary>Shows the consumer what was written. True: it sleeps, and this caller has to wake it.</summary>
    public bool Publish()
    {
        if (_published == _tail) return false;
        _published = _tail;
        Volatile.Write(ref *(uint*)(_words + RingLayout.TailAt), _tail);
        Interlocked.MemoryBarrier(); // Pairs with the fence between RingConsumer.Announce and HasMore.
        ref uint sleeping = ref *(uint*)(_words + RingLayout.SleepingAt);
        return Volatile.Read(ref sleeping) != 0 && Interlocked.Exchange(ref sleeping, 0) != 0;
    }
}

/// <summary>How an operation on a ring ended.</summary>
internal enum RingResult : byte
{
    /// <summary>Done.</summary>
    Done,

    /// <summary>The ring is full (sending) or empty (receiving).</summary>
    Unavailable,

    /// <summary>The other end wrote an impossible index or length.</summary>
    Violated,
}
