namespace Rum.FastPath.Drivers.Dpdk;

/// <summary>DPDK can't be used as asked; the message says why and what to do about it.</summary>
public sealed class DpdkException(string message) : IOException(message);
