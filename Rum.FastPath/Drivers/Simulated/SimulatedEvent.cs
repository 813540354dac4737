namespace Rum.FastPath.Drivers.Simulated;

/// <summary>One thing that the simulated network did, for traces and checkers.</summary>
/// <param name="TimeNs">Virtual time.</param>
/// <param name="Kind">What.</param>
/// <param name="From">The sender.</param>
/// <param name="To">The receiver.</param>
/// <param name="Frame">The frame's number in the order of sending; copies share it.</param>
/// <param name="Bytes">Its length.</param>
public readonly record struct SimulatedEvent(long TimeNs, SimulatedEventKind Kind, int From, int To, long Frame, int Bytes);

/// <summary>The kinds of <see cref="SimulatedEvent"/>.</summary>
public enum SimulatedEventKind : byte
{
    /// <summary>Taken from a sender.</summary>
    Sent,

    /// <summary>Put into the receiver's inbox.</summary>
    Delivered,

    /// <summary>Vanished by chance.</summary>
    Lost,

    /// <summary>A second copy was made.</summary>
    Duplicated,

    /// <summary>Bytes were altered.</summary>
    Corrupted,

    /// <summary>The tail was cut off.</summary>
    Truncated,

    /// <summary>Held up, so that others overtake it.</summary>
    HeldUp,

    /// <summary>Vanished because the direction is blocked.</summary>
    Blocked,

    /// <summary>Vanished because the receiver is gone or was never there.</summary>
    NobodyThere,

    /// <summary>Vanished because the receiver's inbox was full.</summary>
    InboxFull,
}
