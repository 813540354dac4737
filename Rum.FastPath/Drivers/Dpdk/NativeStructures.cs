namespace Rum.FastPath.Drivers.Dpdk;

/// <summary>The shim's struct layout: where an mbuf has its fields.</summary>
internal struct MbufLayout
{
    public uint Abi, Version;
    public uint BufferAddress, DataOffset, Segments, FrameLength, DataLength, Next;
    public uint Headroom, MbufSize, OffloadFlags, Reserved;
}

/// <summary>The shim's struct port_info.</summary>
internal unsafe struct NativePortInfo
{
    public fixed byte Name[64];
    public fixed byte Driver[32];
    public fixed byte Mac[8];
    public int Socket;
    public uint InterfaceIndex;
    public uint KernelMtu;
    public uint MtuMin, MtuMax, FrameMax, ReceiveBufferMin;
    public ulong ReceiveOffloads, SendOffloads;
    public uint ReceiveQueuesMax, SendQueuesMax;
}

/// <summary>The shim's struct port_setup.</summary>
internal struct NativePortSetup
{
    public ushort Queues, ReceiveDescriptors, SendDescriptors;
    public ushort Mtu;
    public ulong ReceiveOffloads, SendOffloads;
    public byte Interrupts, Promiscuous;
}

/// <summary>The shim's struct port_counters.</summary>
internal struct NativePortCounters
{
    public ulong FramesSent, FramesReceived, BytesSent, BytesReceived, Missed, ReceiveErrors, SendErrors, NoBuffer;
}

/// <summary>A view on an mbuf through the offsets that DPDK's own headers gave; <see cref="DpdkLibrary"/> checked that they are these.</summary>
internal readonly unsafe struct Mbuf(void* at)
{
    // Invariant: equal to what rum_dpdk_layout reports, else the library isn't used.
    public const int BufferAddressOffset = 0, DataOffsetOffset = 16, SegmentsOffset = 20, FlagsOffset = 24, FrameLengthOffset = 36, DataLengthOffset = 40, NextOffset = 64;

    private readonly byte* _at = (byte*)at;

    public byte* Data => *(byte**)(_at + BufferAddressOffset) + *(ushort*)(_at + DataOffsetOffset);

    public ushort Segments => *(ushort*)(_at + SegmentsOffset);

    public ulong Flags => *(ulong*)(_at + FlagsOffset);

    public uint FrameLength => *(uint*)(_at + FrameLengthOffset);

    public ushort DataLength => *(ushort*)(_at + DataLengthOffset);

    public void* Next => *(void**)(_at + NextOffset);

    /// <summary>Sets the length of a frame of one segment.</summary>
    public void SetLength(int bytes)
    {
        *(uint*)(_at + FrameLengthOffset) = (uint)bytes;
        *(ushort*)(_at + DataLengthOffset) = (ushort)bytes;
    }
}
