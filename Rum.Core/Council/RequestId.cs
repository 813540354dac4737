namespace Rum.Core.Council;

/// <summary>
/// Makes a session's command at most once: the council keeps the last result of each slot and answers a repeated counter from it. A new request
/// in a slot raises its counter, also one that asks again after <see cref="RumError.Pending"/>. Session 0: the command is idempotent by itself.
/// </summary>
public readonly record struct RequestId(SessionId Session, uint Slot, uint Counter)
{
    /// <summary>Slots of a session: as many commands may be outstanding.</summary>
    public const int MaxSlots = 64;
}

/// <summary>What the log keeps of a command: a decree is a batch of these.</summary>
public sealed record Proposal(RequestId Request, Command Command);
