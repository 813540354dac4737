using Rum.Core;

namespace Rum;

/// <summary>The local cache cannot hold that many pinned pages beside those that are pinned already. Dispose other pins, pin less, or give the client a larger cache.</summary>
public sealed class PinBudgetExceededException : RumException
{
    internal PinBudgetExceededException(RumError error, string message) : base(error, message)
    {
    }
}
