using Rum.Core;

namespace Rum;

/// <summary>This machine does not let the process handle its page faults (userfaultfd). The message says how to permit it.</summary>
public sealed class UserfaultfdUnavailableException : RumException
{
    internal UserfaultfdUnavailableException(RumError error, string message) : base(error, message)
    {
    }
}
