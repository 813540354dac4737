namespace Rum.FastPath.Drivers;

/// <summary>A frame to send: header and payload gathered from two places.</summary>
public unsafe struct TxFrame
{
    /// <summary>To whom.</summary>
    public PeerAddress Peer;

    /// <summary>The 128-byte header, complete (CRC included where <see cref="DriverTraits.Checksummed"/>).</summary>
    public byte* Header;

    /// <summary>The payload, or null.</summary>
    public byte* Payload;

    /// <summary>Payload bytes, at most <see cref="DriverTraits.MaxPayload"/>.</summary>
    public int PayloadLength;
}

/// <summary>A received frame.</summary>
public unsafe struct RxFrame
{
    /// <summary>From whom.</summary>
    public PeerAddress Peer;

    /// <summary>The header; the driver's memory, valid until <see cref="IDriver.Release"/>.</summary>
    public byte* Header;

    /// <summary>The payload. Equal to <see cref="Landing"/> where the driver received straight into it (the caller then owns it), else the
    /// driver's memory, valid until <see cref="IDriver.Release"/>.</summary>
    public byte* Payload;

    /// <summary>Payload bytes received.</summary>
    public int PayloadLength;

    /// <summary>Set by the caller before <see cref="IDriver.Receive"/>: a page-sized buffer that the driver may receive into, or null.</summary>
    public byte* Landing;
}
