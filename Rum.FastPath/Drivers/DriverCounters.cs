namespace Rum.FastPath.Drivers;

/// <summary>Counters of a driver since its start. Read by other threads without a lock: each field is right, together they may be a moment apart.</summary>
public struct DriverCounters
{
    /// <summary>Frames sent.</summary>
    public long FramesSent;

    /// <summary>Frames received.</summary>
    public long FramesReceived;

    /// <summary>Bytes sent, headers included.</summary>
    public long BytesSent;

    /// <summary>Bytes received, headers included.</summary>
    public long BytesReceived;

    /// <summary>Frames dropped because their form was wrong.</summary>
    public long FramesDropped;

    /// <summary>Bursts that could not be sent whole.</summary>
    public long SendBackPressure;
}
