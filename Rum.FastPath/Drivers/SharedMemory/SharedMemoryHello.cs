using System.Runtime.InteropServices;
using Rum.FastPath.Frames;

namespace Rum.FastPath.Drivers.SharedMemory;

/// <summary>
/// The server's only message over the socket besides wake-ups: it goes with the region's descriptor. Every byte after it, in both directions, is
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
    public uint Reserved;
    public ulong RegionBytes;

    /// <summary>What this build says for rings of <paramref name="entries"/>.</summary>
    public static SharedMemoryHello For(int entries) => new()
    {
        Magic = MagicValue,
        Version = CurrentVersion,
        HeaderBytes = FrameHeader.Size,
        PayloadMax = RingLayout.PayloadMax,
        EntryStride = RingLayout.EntryStride,
        Entries = (uint)entries,
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
