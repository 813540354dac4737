using Rum.Core;

namespace Rum.Pager.Session;

/// <summary>A call that failed, with its code. Never leaves the library: the C ABI turns it into a code and words.</summary>
internal sealed class RumException(RumError error, string message) : Exception(message)
{
    /// <summary>The code.</summary>
    public RumError Error { get; } = error;
}
