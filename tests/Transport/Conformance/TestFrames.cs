using System.Runtime.InteropServices;
using Rum.FastPath.Drivers;
using Rum.FastPath.Frames;

namespace Rum.Transport.Tests.Conformance;

/// <summary>Native buffers for frames whose content says their number, so that a receiver can check every byte.</summary>
internal sealed unsafe class TestFrames : IDisposable
{
    private const int Stride = FrameHeader.Size + 4096;
    private readonly byte* _memory;

    public TestFrames(int count)
    {
        Count = count;
        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)(count * Stride), 64);
        Tx = new TxFrame[count];
    }

    public int Count { get; }

    public TxFrame[] Tx { get; }

    /// <summary>Fills frame <paramref name="index"/>: number <paramref name="number"/>, <paramref name="payload"/> bytes drawn from it.</summary>
    public ref TxFrame Fill(int index, PeerAddress peer, uint number, int payload)
    {
        byte* at = _memory + index * Stride;
        new Span<byte>(at, FrameHeader.Size).Clear();
        var header = (FrameHeader*)at;
        header->Magic = FrameHeader.MagicValue;
        header->Version = FrameHeader.CurrentVersion;
        header->Length = (ushort)payload;
        header->Counter = number;
        header->PacketNumber = ~(ulong)number;
        for (int i = 0; i < payload; i++) at[FrameHeader.Size + i] = Byte(number, i);
        Tx[index] = new TxFrame { Peer = peer, Header = at, Payload = payload == 0 ? null : at + FrameHeader.Size, PayloadLength = payload };
        return ref Tx[index];
    }

    /// <summary>The number of a received frame, after checking each of its bytes.</summary>
    public static uint Verify(in RxFrame frame)
    {
        var header = (FrameHeader*)frame.Header;
        Assert.Equal(FrameHeader.MagicValue, header->Magic);
        Assert.Equal(~(ulong)header->Counter, header->PacketNumber);
        Assert.Equal(header->Length, frame.PayloadLength);
        for (int i = 0; i < frame.PayloadLength; i++)
            if (frame.Payload[i] != Byte(header->Counter, i)) Assert.Fail($"Byte {i} of frame {header->Counter} is {frame.Payload[i]}.");
        return header->Counter;
    }

    public void Dispose() => NativeMemory.AlignedFree(_memory);

    private static byte Byte(uint number, int index) => (byte)((number * 2654435761u >> 13) + (uint)index * 7);
}
