using Rum.Core;

namespace Rum;

/// <summary>No segment has that key.</summary>
public sealed class SegmentNotFoundException : RumException
{
    internal SegmentNotFoundException(RumError error, string message) : base(error, message)
    {
    }
}
