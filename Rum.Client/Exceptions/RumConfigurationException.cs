using Rum.Core;

namespace Rum;

/// <summary>A setting, the machines file or an environment variable can not be read, makes no sense, or does not fit this cluster or the client that runs in this process already.</summary>
public sealed class RumConfigurationException : RumException
{
    internal RumConfigurationException(RumError error, string message) : base(error, message)
    {
    }
}
