namespace Rum.FastPath.Drivers;

/// <summary>Where a frame comes from or goes to, in the driver's own terms (socket address, connection, MAC). Opaque above the driver.</summary>
public readonly record struct PeerAddress(ulong High, ulong Low, uint Extra);
