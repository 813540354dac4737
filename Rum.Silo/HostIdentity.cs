using System.Net;
using System.Net.NetworkInformation;
using System.Runtime.InteropServices;

namespace Rum.Silo;

/// <summary>What tells this machine from others.</summary>
public static class HostIdentity
{
    /// <summary>The user that this process runs as.</summary>
    public static uint UserId { get; } = geteuid();

    /// <summary>The addresses of this machine's interfaces, loopback included.</summary>
    public static IReadOnlyCollection<IPAddress> LocalAddresses() =>
        [.. NetworkInterface.GetAllNetworkInterfaces()
            .SelectMany(card => card.GetIPProperties().UnicastAddresses)
            .Select(address => address.Address)
            .Append(IPAddress.Loopback)
            .Append(IPAddress.IPv6Loopback)
            .Distinct()];

#pragma warning disable SYSLIB1054 // LibraryImport would need unsafe code in this room
    [DllImport("libc")]
    private static extern uint geteuid();
#pragma warning restore SYSLIB1054
}
