using System.Runtime.InteropServices;
using Rum.FastPath.Frames;

namespace Rum.FastPath.Drivers.SharedMemory;

/// <summary>
/// The server's message over the socket besides wake-ups: it goes with the region's descriptor. Every byte after it (and after the one that it may announce), in both directions, is
/// a wake-up; the end of the stream is the end of the connection.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SharedMemoryHello
{
    public const ulong MagicValue = 0x6D68732D6D7572; // "rum-shm"
    public const uint CurrentVersion = 1;

    public ulong Magic;
    public uint Version;
    public uint HeaderBytes;
    public uint PayloadMax;
    public uint EntryStride;
    public uint Entries;

    /// <summary>
    /// 1: a <see cref="SharedMemoryWindow"/> follows, with the descriptor of memory to read pages from. Who doesn't know of it takes it for wake-ups, and the kernel drops the descriptor.
    /// </summary>
    public uint Window;
    public ulong RegionBytes;

    /// <summary>What this build says for rings of <paramref name="entries"/>.</summary>
    public static SharedMemoryHello For(int entries, bool window = false) => new()
    {
        Magic = MagicValue,
        Version = CurrentVersion,
        HeaderBytes = FrameHeader.Size,
        PayloadMax = RingLayout.PayloadMax,
        EntryStride = RingLayout.EntryStride,
        Entries = (uint)entries,
        Window = window ? 1u : 0,
        RegionBytes = (ulong)RingLayout.RegionBytes(entries),
    };

    /// <summary>Why a client of this build can't work with the server that said this, or null.</summary>
    public readonly string? WhyNot()
    {
        if (Magic != MagicValue) return "what listens there is no RUM silo";
        if (Version != CurrentVersion) return $"the silo speaks version {Version} of the shared-memory rings, this program {CurrentVersion}";
        if (!RingLayout.IsLegal((int)Entries)) return $"the silo's rings have {Entries} entries, which is not a power of two from {RingLayout.EntriesMin} to {RingLayout.EntriesMax}";
        SharedMemoryHello ours = For((int)Entries);
        return HeaderBytes == ours.HeaderBytes && PayloadMax == ours.PayloadMax && EntryStride == ours.EntryStride && RegionBytes == ours.RegionBytes
            ? null
            : "the silo lays its rings out differently";
    }
}

/// <summary>Follows the hello where the silo offers its memory for reading; the descriptor goes with it.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SharedMemoryWindow
{
    public const ulong MagicValue = 0x77682D6D7572; // "rum-hw"

    public ulong Magic;
    public ulong Reserved;
}
