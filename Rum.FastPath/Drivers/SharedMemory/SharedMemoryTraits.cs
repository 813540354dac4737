namespace Rum.FastPath.Drivers.SharedMemory;

/// <summary>What both ends say of themselves.</summary>
internal static class SharedMemoryTraits
{
    public static readonly DriverTraits Value = new(
        "shm", RingLayout.PayloadMax, Checksummed: false, Reliable: true, SendCostsSystemCall: false, UsesLanding: false, SameHost: true);
}
