using System.Runtime.InteropServices;
using Rum.Core;
using Rum.FastPath.Server;

namespace Rum.FastPath.Direct;

/// <summary>
/// How the memory is laid out that a silo shows to the programs of its host, so that they read pages out of it without a message. The silo alone writes it; a client
/// maps it for reading.
/// </summary>
/// <remarks>
/// <code>
///   0     header, 4 KiB
///   ...   shards   u64 each: |epoch 32|0 31|in sync 1|; 0: not here
///   ...   buckets  u32 each: the first record of a chain, 0: none
///   ...   records  40 B each, by number from 1: an extent that has a table
///   ...   tables   384 KiB each, by number from 1: 16,384 entries of 24 B: |word|token|sequence|
///   ...   frames   4 KiB each, by number from 1, on a bound of 2 MiB
///
///   the word of an entry: |busy 1|changes 31|frame 32|; frame 0: the page reads as zeros
/// </code>
/// Who orders what (x86 keeps stores in order, and loads; the compiler is told by volatile accesses):
/// <list type="bullet">
/// <item>A page changes: the frame is filled; word = busy; token; sequence; word = the frame and one change more. Only then may the old frame be filled again.</item>
/// <item>A table is taken from its extent (dropped, freed, lost, kept for a cut): the record's stamp = 0 first; only then may its frames be filled again, or the table be used by another extent. No two records
/// ever have the same stamp.</item>
/// <item>A view comes into force: the shards' words, before anything is done under it.</item>
/// </list>
/// A reader reads generation and shard, stamp, segment and extent, table, word, token, sequence, the page; and then, latest first, all of them again. If nothing has changed, the page was the
/// current one throughout. The silo may end at any moment: what it leaves behind is either as it was or is seen to be unfinished.
/// </remarks>
internal static class WindowLayout
{
    public const ulong Magic = 0x6E69772D6D7572; // "rum-win"
    public const uint Version = 1;

    public const int HeaderBytes = 4096;
    public const int Shards = 1 << 16;
    public const long TableBytes = (long)Layout.PagesPerExtent * PageEntry.Size;
    public const long FrameAlignment = 2 << 20;

    public const ulong InSync = 1;
    public const ulong Busy = 1UL << 63;
    public const int ChangesShift = 32;

    /// <summary>Records that a search looks at: a chain that a silo changes meanwhile may lead anywhere.</summary>
    public const int ChainMax = 64;

    public static uint Hash(ulong segment, uint extent) => Mix(segment + ((ulong)extent << 40) + extent);

    public static uint Mix(ulong value)
    {
        value *= 0x9E3779B97F4A7C15;
        return (uint)(value >> 32) ^ (uint)value;
    }

    public static ulong ShardWord(uint epoch) => ((ulong)epoch << 32) | InSync;
}

/// <summary>The header. What stands before <see cref="Generation"/> never changes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct WindowHeader
{
    public ulong Magic;
    public uint Version;
    public uint Records;
    public uint Buckets;
    public uint Tables;
    public ulong Frames;
    public ulong Bytes;
    public ulong ShardsAt, BucketsAt, RecordsAt, TablesAt, FramesAt;

    /// <summary>The life of the silo; 0 before there is one, and after.</summary>
    public ulong Incarnation;

    /// <summary>What frames under the view in force carry.</summary>
    public uint Generation;
}

/// <summary>An extent with a table. <see cref="Stamp"/> 0: none, look elsewhere.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct WindowRecord
{
    public ulong Stamp;
    public ulong Segment;
    public uint Extent;
    public uint Table;
    public uint Next;
    public uint Shard;
    public ulong Reserved;
}
