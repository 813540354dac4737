using Rum.FastPath.Drivers.Dpdk;

namespace Rum.Transport.Tests.Dpdk;

/// <summary>Frames made by hand, whatever their content.</summary>
internal static unsafe class RawFrames
{
    /// <summary>Puts an Ethernet frame with this content on the driver's port.</summary>
    public static void Send(DpdkDriver driver, ulong to, ushort type, ReadOnlySpan<byte> content)
    {
        byte[] frame = new byte[14 + content.Length];
        for (int i = 0; i < 6; i++)
        {
            frame[i] = (byte)(to >> (8 * i));
            frame[6 + i] = (byte)(driver.Port.Mac >> (8 * i));
        }
        frame[12] = (byte)(type >> 8);
        frame[13] = (byte)type;
        content.CopyTo(frame.AsSpan(14));
        void* buffer;
        Assert.Equal(0, NativeMethods.rum_dpdk_alloc(driver.Port.SendPool, &buffer, 1));
        var mbuf = new Mbuf(buffer);
        frame.CopyTo(new Span<byte>(mbuf.Data, frame.Length));
        mbuf.SetLength(frame.Length);
        Assert.Equal(1, NativeMethods.rum_dpdk_send(driver.Port.Id, 0, &buffer, 1));
    }
}
