using Rum.Core;

namespace Rum;

/// <summary>Another session has the segment open for writing. Open it read-only, or wait until that session closes it or its lease ends.</summary>
public sealed class SegmentBusyException : RumException
{
    internal SegmentBusyException(RumError error, string message) : base(error, message)
    {
    }
}
