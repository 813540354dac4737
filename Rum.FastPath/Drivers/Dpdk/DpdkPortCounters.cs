namespace Rum.FastPath.Drivers.Dpdk;

/// <summary>What DPDK itself counts at a port since its start.</summary>
/// <param name="FramesSent">Frames sent.</param>
/// <param name="FramesReceived">Frames received, foreign ones included.</param>
/// <param name="BytesSent">Bytes sent, Ethernet headers included.</param>
/// <param name="BytesReceived">Bytes received.</param>
/// <param name="Missed">Frames lost for want of descriptors or buffers.</param>
/// <param name="Errors">Frames that the port found damaged, or could not send.</param>
public readonly record struct DpdkPortCounters(long FramesSent, long FramesReceived, long BytesSent, long BytesReceived, long Missed, long Errors);
