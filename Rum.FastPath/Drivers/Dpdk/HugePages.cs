using System.Globalization;

namespace Rum.FastPath.Drivers.Dpdk;

/// <summary>What the kernel has of huge pages.</summary>
public static class HugePages
{
    /// <summary>Free pages of a size in KiB (2048, 1048576).</summary>
    public static long Free(int kib, string root = "") => Read($"{root}/sys/kernel/mm/hugepages/hugepages-{kib}kB/free_hugepages");

    /// <summary>Reserved pages of a size in KiB.</summary>
    public static long Total(int kib, string root = "") => Read($"{root}/sys/kernel/mm/hugepages/hugepages-{kib}kB/nr_hugepages");

    private static long Read(string path)
    {
        try
        {
            return long.Parse(File.ReadAllText(path).AsSpan().Trim(), CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            return 0;
        }
    }
}
