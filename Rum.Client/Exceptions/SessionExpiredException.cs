using Rum.Core;

namespace Rum;

/// <summary>The session's lease ended, or a later writer took its segment: anonymous memory is freed, every page is unmapped. Dispose the client and connect anew.</summary>
public sealed class SessionExpiredException : RumException
{
    internal SessionExpiredException(RumError error, string message) : base(error, message)
    {
    }
}
