using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Rum.Core.Ring;

namespace Rum;

// What stands where in the segment.
public sealed partial class RumDictionary<TKey, TValue>
{
    private const ulong Magic = 0x52554D2D44494354; // "RUM-DICT"
    private const int HeaderBytes = 4096;

    // Slots behind the last home, so that probing never wraps. Invariant: the last one is empty, so every probe ends.
    private const int SpareSlots = 1024;

    private static int SlotBytes => Unsafe.SizeOf<Slot>();

    private static Header ReadHeader(RumSegment segment)
    {
        Header header = segment.Length >= HeaderBytes ? segment.Read<Header>(0) : default;
        if (header.Magic != Magic) throw new InvalidDataException($"{segment.Id} holds no RumDictionary.");
        if (header.KeyBytes != Unsafe.SizeOf<TKey>() || header.ValueBytes != Unsafe.SizeOf<TValue>())
        {
            throw new InvalidDataException(
                $"The dictionary in {segment.Id} has keys of {header.KeyBytes} bytes and values of {header.ValueBytes}, not {Unsafe.SizeOf<TKey>()} and {Unsafe.SizeOf<TValue>()}.");
        }

        if (header.Growing != 0) throw new InvalidDataException($"The dictionary in {segment.Id} was being enlarged when its program ended; it can't be told which entries it had.");
        return header;
    }

    private void WriteHeader() => _segment.Write(0, _header);

    /// <summary>Never 0, which marks an empty slot. Stable across runs and machines, since segments outlive both.</summary>
    private static ulong HashOf(TKey key)
    {
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(new ReadOnlySpan<TKey>(in key));
        ulong hash = (ulong)bytes.Length;
        for (; bytes.Length >= 8; bytes = bytes[8..]) hash = StableHash.Mix(hash, MemoryMarshal.Read<ulong>(bytes));
        ulong rest = 0;
        for (int i = 0; i < bytes.Length; i++) rest |= (ulong)bytes[i] << (8 * i);
        hash = StableHash.Mix(hash, rest);
        return hash == 0 ? 1 : hash;
    }

    private static bool SameKey(in TKey left, in TKey right) =>
        MemoryMarshal.AsBytes(new ReadOnlySpan<TKey>(in left)).SequenceEqual(MemoryMarshal.AsBytes(new ReadOnlySpan<TKey>(in right)));

    private static long HomeOf(ulong hash, int capacityLog2) => (long)(hash >> (64 - capacityLog2));

    private static long SlotsOf(int capacityLog2) => (1L << capacityLog2) + SpareSlots;

    private static long BytesOf(int capacityLog2) => HeaderBytes + SlotsOf(capacityLog2) * SlotBytes;

    private static long OffsetOf(long slot) => HeaderBytes + slot * SlotBytes;

    // 70% full: probes stay short (2.2 slots for a hit, 6 for a miss on average), and no cluster comes near SpareSlots.
    private static long LimitOf(int capacityLog2) => (1L << capacityLog2) / 10 * 7;

    [StructLayout(LayoutKind.Sequential)]
    private struct Header
    {
        internal ulong Magic;
        internal int KeyBytes;
        internal int ValueBytes;
        internal int CapacityLog2;
        internal int Growing;
        internal long Count;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Slot
    {
        internal ulong Hash;
        internal TKey Key;
        internal TValue Value;
    }
}
