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

    /// <summary>Well-formed frames that are not for us: other protocols, other receivers. Not among those dropped.</summary>
    public long FramesForeign;

    /// <summary>Payload bytes that were copied before a send; a driver that can send from their place copies none.</summary>
    public long BytesCopiedSending;

    /// <summary>Payload bytes that the driver copied at receipt; the room above copies a page at most once more.</summary>
    public long BytesCopiedReceiving;

    /// <summary>Bursts that could not be sent whole.</summary>
    public long SendBackPressure;
}
