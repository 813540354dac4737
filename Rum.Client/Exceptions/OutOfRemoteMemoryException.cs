using Rum.Core;

namespace Rum;

/// <summary>The silos have no room. Nothing that exists is affected; freeing makes room again.</summary>
public sealed class OutOfRemoteMemoryException : RumException
{
    internal OutOfRemoteMemoryException(RumError error, string message) : base(error, message)
    {
    }
}
