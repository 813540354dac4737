using Rum.Core;

namespace Rum;

/// <summary>The segment is open for reading.</summary>
public sealed class SegmentReadOnlyException : RumException
{
    internal SegmentReadOnlyException(RumError error, string message) : base(error, message)
    {
    }
}
