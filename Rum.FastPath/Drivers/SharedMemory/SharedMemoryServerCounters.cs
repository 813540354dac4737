namespace Rum.FastPath.Drivers.SharedMemory;

/// <summary>What became of a silo's shared-memory clients since the start. Read by other threads without a lock.</summary>
public struct SharedMemoryServerCounters
{
    /// <summary>Connections made.</summary>
    public long Opened;

    /// <summary>Connections ended, for whatever reason.</summary>
    public long Closed;

    /// <summary>Connections refused: another user's process, no place, or no memory.</summary>
    public long Refused;

    /// <summary>Connections ended because the client wrote impossible indices or lengths.</summary>
    public long Violations;

    /// <summary>Answers dropped because the client's ring stayed full.</summary>
    public long FramesStalled;
}
