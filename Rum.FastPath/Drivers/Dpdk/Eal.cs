using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;

namespace Rum.FastPath.Drivers.Dpdk;

/// <summary>
/// DPDK's environment layer: started once in a process's life, on a thread of its own that then ends, so that nobody's CPU affinity is touched. Any thread.
/// </summary>
public static unsafe class Eal
{
    private static readonly Lock Gate = new();
    private static string[]? _arguments;

    /// <summary>Whether it runs.</summary>
    public static bool Started => Volatile.Read(ref _arguments) is not null;

    /// <summary>The arguments that it was started with, empty before.</summary>
    public static IReadOnlyList<string> Arguments => Volatile.Read(ref _arguments) ?? [];

    /// <summary>Starts it with these arguments, completed by <see cref="EalArguments"/>; does nothing when it runs with them already. Throws <see cref="DpdkException"/>.</summary>
    public static void Start(IReadOnlyList<string> arguments)
    {
        DpdkLibrary.Load();
        string[] complete = EalArguments.Complete(arguments);
        lock (Gate)
        {
            if (_arguments is not null)
            {
                if (_arguments.SequenceEqual(complete)) return;
                throw new DpdkException(
                    $"DPDK runs in this process already, with other arguments ({string.Join(' ', _arguments)}); it can be started once in a process's life.");
            }
            foreach (string device in EalArguments.Devices(complete)) RemoveStaleSocket(device);
            int result = 0;
            var thread = new Thread(() => result = Initialise(complete)) { Name = "rum-eal" };
            thread.Start();
            thread.Join();
            if (result < 0) throw Refused(complete, result);
            Volatile.Write(ref _arguments, complete);
        }
    }

    /// <summary>The numbers of all ports.</summary>
    public static ushort[] Ports()
    {
        ushort* ids = stackalloc ushort[DpdkPort.PortsMax];
        int count = NativeMethods.rum_dpdk_ports(ids, DpdkPort.PortsMax);
        return new Span<ushort>(ids, count).ToArray();
    }

    /// <summary>Adds a device, as --vdev or -a would have at the start, and returns its port. Throws <see cref="DpdkException"/>.</summary>
    public static ushort Attach(string device)
    {
        lock (Gate)
        {
            ushort[] before = Ports();
            RemoveStaleSocket(device);
            int error = NativeMethods.rum_dpdk_attach(device);
            if (error < 0) throw new DpdkException($"the device '{device}' can't be attached: {DpdkLibrary.Words(error)}. {EalArguments.DeviceAdvice(device)}");
            foreach (ushort port in Ports())
                if (Array.IndexOf(before, port) < 0) return port;
            throw new DpdkException($"the device '{device}' was attached and has no port.");
        }
    }

    /// <summary>Takes a port's device away.</summary>
    public static void Detach(ushort port)
    {
        lock (Gate) _ = NativeMethods.rum_dpdk_detach(port);
    }

    // A vhost port that listens leaves its socket behind when its process is killed, and the next one couldn't bind it.
    private static void RemoveStaleSocket(string device)
    {
        if (!device.StartsWith("net_vhost", StringComparison.Ordinal) || EalArguments.DeviceSetting(device, "client") is "1") return;
        string? path = EalArguments.DeviceSetting(device, "iface");
        if (path is null || !File.Exists(path)) return;
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            File.Delete(path);
        }
        catch (SocketException)
        {
            // No socket, or not ours to judge: DPDK says what is wrong with it.
        }
    }

    private static int Initialise(string[] arguments)
    {
        // getopt reorders the array and DPDK keeps pointers into it: neither is ever freed.
        var vector = (byte**)NativeMemory.AllocZeroed((nuint)(arguments.Length + 2), (nuint)sizeof(byte*));
        vector[0] = Copy("rum");
        for (int i = 0; i < arguments.Length; i++) vector[i + 1] = Copy(arguments[i]);
        return NativeMethods.rum_dpdk_init(arguments.Length + 1, vector);
    }

    private static byte* Copy(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        var copy = (byte*)NativeMemory.AllocZeroed((nuint)(bytes.Length + 1));
        bytes.CopyTo(new Span<byte>(copy, bytes.Length));
        return copy;
    }

    private static DpdkException Refused(string[] arguments, int error)
    {
        string said = $"DPDK doesn't start with '{string.Join(' ', arguments)}': {DpdkLibrary.Words(error)} (DPDK's own words are on stderr above).";
        return new DpdkException($"{said} {EalArguments.StartAdvice(arguments)} 'rum dpdk check' looks at every point.");
    }
}
