using Rum.Core;

namespace Rum;

/// <summary>Pages have no replica left that holds them: the silo that did restarted or is gone. They never read as zeros or as old data.</summary>
public sealed class ShardLostException : RumException
{
    internal ShardLostException(RumError error, string message) : base(error, message)
    {
    }
}
