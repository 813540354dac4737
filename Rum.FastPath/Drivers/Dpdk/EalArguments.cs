namespace Rum.FastPath.Drivers.Dpdk;

/// <summary>
/// Completes EAL arguments so that a user says only what the machine can't know: devices, and --no-huge where there are no huge pages. What is said is kept.
/// </summary>
public static class EalArguments
{
    /// <summary>The arguments with what usually belongs to them.</summary>
    public static string[] Complete(IReadOnlyList<string> said)
    {
        var all = new List<string>(said);
        if (!Has(said, "--no-telemetry", "--telemetry")) all.Add("--no-telemetry");
        if (!Has(said, "--log-level")) all.Add("--log-level=4");
        // One EAL thread that may run anywhere: the pollers are this program's own.
        if (!Has(said, "--lcores", "-l", "-c", "--main-lcore")) all.AddRange(["--lcores", $"0@({string.Join(',', Linux.Scheduling.AllowedCpus())})"]);
        if (Devices(said).Count > 0 && !Has(said, "-a", "--allow", "--no-pci")) all.Add("--no-pci");
        if (Has(said, "--no-huge"))
        {
            if (!Has(said, "-m", "--socket-mem")) all.AddRange(["-m", "256"]);
            if (!Has(said, "--no-shconf")) all.Add("--no-shconf");
            if (!Has(said, "--file-prefix")) all.Add($"--file-prefix=rum-{Environment.ProcessId}");
        }
        else if (!Has(said, "--in-memory", "--file-prefix", "--huge-dir", "--proc-type", "--legacy-mem"))
        {
            all.Add("--in-memory");
            // A vhost peer takes 8 memory regions at most.
            if (!Has(said, "--single-file-segments")) all.Add("--single-file-segments");
        }
        return [.. all];
    }

    /// <summary>The values of --vdev, in order.</summary>
    public static IReadOnlyList<string> Devices(IReadOnlyList<string> arguments)
    {
        var devices = new List<string>();
        for (int i = 0; i < arguments.Count; i++)
        {
            if (arguments[i].StartsWith("--vdev=", StringComparison.Ordinal)) devices.Add(arguments[i]["--vdev=".Length..]);
            else if (arguments[i] == "--vdev" && i + 1 < arguments.Count) devices.Add(arguments[++i]);
        }
        return devices;
    }

    /// <summary>A setting of a device: <c>path</c> of "net_virtio_user0,path=/tmp/v.sock"; null when it isn't there.</summary>
    public static string? DeviceSetting(string device, string key)
    {
        foreach (string part in device.Split(','))
            if (part.StartsWith(key + "=", StringComparison.Ordinal)) return part[(key.Length + 1)..];
        return null;
    }

    /// <summary>What to try when a device is refused.</summary>
    internal static string DeviceAdvice(string device)
    {
        if (device.StartsWith("net_virtio_user", StringComparison.Ordinal))
            return $"Is the silo running that listens there (its net_vhost with iface={DeviceSetting(device, "path")}), and may this user open the socket?";
        if (device.StartsWith("net_vhost", StringComparison.Ordinal))
            return $"Is {DeviceSetting(device, "iface")} free (a dead process may have left it: rm it), and its directory writable?";
        if (device.StartsWith("net_af_", StringComparison.Ordinal))
            return $"Does the interface {DeviceSetting(device, "iface")} exist in this network namespace (ip -br link), and is CAP_NET_RAW there (run as root)?";
        return "See: dpdk-devbind.py --status-dev net";
    }

    /// <summary>What to try when the start is refused.</summary>
    internal static string StartAdvice(IReadOnlyList<string> arguments)
    {
        if (!Has(arguments, "--no-huge") && HugePages.Free(2048) + HugePages.Free(1048576) == 0)
        {
            return "There are no free huge pages: reserve some (echo 512 > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages), "
                + "or for virtual devices add --no-huge.";
        }
        foreach (string device in Devices(arguments))
            if (DeviceAdvice(device) is { Length: > 0 } advice) return advice;
        return "A PCI card must be bound to vfio-pci: dpdk-devbind.py --bind=vfio-pci ADDRESS.";
    }

    private static bool Has(IReadOnlyList<string> arguments, params ReadOnlySpan<string> names)
    {
        foreach (string argument in arguments)
        {
            foreach (string name in names)
            {
                bool joined = name.StartsWith("--", StringComparison.Ordinal) ? argument.StartsWith(name + "=", StringComparison.Ordinal) : argument.StartsWith(name, StringComparison.Ordinal) && !argument.StartsWith("--", StringComparison.Ordinal);
                if (argument == name || joined) return true;
            }
        }
        return false;
    }
}
