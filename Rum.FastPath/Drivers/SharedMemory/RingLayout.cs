using Rum.Core;
using Rum.FastPath.Frames;

namespace Rum.FastPath.Drivers.SharedMemory;

/// <summary>
/// How a connection's shared region is laid out: two rings, one per direction, each with one producer and one consumer.
/// </summary>
/// <remarks>
/// <code>
///   0     words of the ring client -> server (512 B)
///   512   words of the ring server -> client (512 B)
///   4096  entries client -> server, then entries server -> client
///
///   words of a ring, 128 B apart, so that neither a line nor the pair that is fetched with it has two writers:
///   0     tail      u32  written by the producer only: entries published, ever (mod 2^32)
///   128   head      u32  written by the consumer only: entries given back, ever (mod 2^32)
///   256   sleeping  u32  set to 1 by the consumer before it blocks; whoever exchanges it to 0 owes the wake-up
///
///   an entry, 67 lines (an odd number, so that entries spread over all cache sets):
///   0     payload length u32
///   64    frame header, 128 B
///   192   payload, up to 4,096 B
/// </code>
/// Who orders what:
/// <list type="bullet">
/// <item>The producer writes the entry, then tail with release; the consumer reads tail with acquire, then the entry.</item>
/// <item>The consumer reads the entry, then writes head with release; the producer reads head with acquire, then overwrites the entry.</item>
/// <item>Sleep: consumer: sleeping = 1, full fence, read tail. Producer: write tail, full fence, read sleeping. One of the two sees the other's write,
/// so either the consumer doesn't block or the producer wakes it.</item>
/// </list>
/// Each end keeps its own index privately and never reads it back; the other's index and the lengths are checked at each use, and an entry's
/// header is copied out before it is looked at. So a hostile peer can send nonsense but can't make this end step outside the region.
/// </remarks>
internal static class RingLayout
{
    public const int WordsOfRing = 512;
    public const int TailAt = 0;
    public const int HeadAt = 128;
    public const int SleepingAt = 256;
    public const int EntriesAt = 4096;

    public const int LengthAt = 0;
    public const int HeaderAt = 64;
    public const int PayloadAt = HeaderAt + FrameHeader.Size;
    public const int PayloadMax = Layout.PageSize;
    public const int EntryStride = PayloadAt + PayloadMax;

    public const int EntriesMin = 2;
    public const int EntriesMax = 4096;

    /// <summary>Bytes of the whole region.</summary>
    public static long RegionBytes(int entries) => (EntriesAt + 2L * entries * EntryStride + 4095) & ~4095L;

    /// <summary>The words of a direction (0: client to server).</summary>
    public static unsafe byte* Words(byte* region, int direction) => region + direction * WordsOfRing;

    /// <summary>The entries of a direction.</summary>
    public static unsafe byte* Entries(byte* region, int direction, int entries) => region + EntriesAt + (long)direction * entries * EntryStride;

    /// <summary>Whether a ring may have so many entries: a power of two, so that indices wrap with the counters.</summary>
    public static bool IsLegal(int entries) => entries is >= EntriesMin and <= EntriesMax && int.IsPow2(entries);
}
