using Rum.Core;

namespace Rum.FastPath.Drivers.Udp;

/// <summary>Settings of a <see cref="UdpDriver"/>.</summary>
public sealed record UdpDriverOptions
{
    /// <summary>The smallest <see cref="MaxPayload"/>.</summary>
    public const int MaxPayloadMin = 256;

    /// <summary>The largest <see cref="MaxPayload"/>: a whole page in one frame.</summary>
    public const int MaxPayloadMax = Layout.PageSize;

    /// <summary>Payload bytes per frame sent; 0: by the path (see <see cref="UdpPath"/>). Frames of any legal size are received whatever this says.</summary>
    public int MaxPayload { get; init; }

    /// <summary>Bytes asked of the kernel for the receive buffer. What was granted: <see cref="UdpDriver.ReceiveBufferBytes"/>.</summary>
    public int ReceiveBufferBytes { get; init; } = 8 << 20;

    /// <summary>Bytes asked of the kernel for the send buffer. What was granted: <see cref="UdpDriver.SendBufferBytes"/>.</summary>
    public int SendBufferBytes { get; init; } = 8 << 20;
}
