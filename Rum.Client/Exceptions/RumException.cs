using Rum.Core;

namespace Rum;

/// <summary>A call to RUM failed. The message names the cause and the next step; docs/ERRORS.md has both for every code.</summary>
public class RumException : IOException
{
    /// <summary>Makes an exception for an error code.</summary>
    public RumException(RumError error, string message, Exception? inner = null) : base(message, inner) => Error = error;

    /// <summary>The code, as in rum.h.</summary>
    public RumError Error { get; }
}
