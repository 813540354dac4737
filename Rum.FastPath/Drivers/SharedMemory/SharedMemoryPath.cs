using Rum.FastPath.Linux;

namespace Rum.FastPath.Drivers.SharedMemory;

/// <summary>Where silos of this machine have their sockets.</summary>
public static class SharedMemoryPath
{
    /// <summary>The socket of this user's silo on a port: <c>/tmp/rum-UID/PORT.sock</c>.</summary>
    public static string Default(int port) => $"/tmp/rum-{Descriptors.geteuid()}/{port}.sock";
}
