using Rum.Core;

namespace Rum;

/// <summary>No silo answered, or not in time. What was stored before is not lost; the same call may succeed later.</summary>
public sealed class RumUnavailableException : RumException
{
    internal RumUnavailableException(RumError error, string message) : base(error, message)
    {
    }
}
