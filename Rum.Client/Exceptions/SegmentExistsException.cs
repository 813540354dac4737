using Rum.Core;

namespace Rum;

/// <summary>A segment with that key exists already: open it, or delete it first.</summary>
public sealed class SegmentExistsException : RumException
{
    internal SegmentExistsException(RumError error, string message) : base(error, message)
    {
    }
}
