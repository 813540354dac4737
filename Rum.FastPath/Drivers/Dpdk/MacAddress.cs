using System.Globalization;
using System.Runtime.CompilerServices;

namespace Rum.FastPath.Drivers.Dpdk;

/// <summary>MAC addresses as numbers: the first byte on the wire is the lowest.</summary>
public static unsafe class MacAddress
{
    /// <summary>Everybody on the link.</summary>
    public const ulong Broadcast = 0xFFFF_FFFF_FFFF;

    /// <summary>Reads "aa:bb:cc:dd:ee:ff".</summary>
    public static bool TryParse(string text, out ulong mac)
    {
        mac = 0;
        string[] parts = text.Split(':');
        if (parts.Length != 6) return false;
        for (int i = 0; i < 6; i++)
        {
            if (parts[i].Length != 2 || !byte.TryParse(parts[i], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte one)) return false;
            mac |= (ulong)one << (8 * i);
        }
        return true;
    }

    /// <summary>The address in text.</summary>
    public static string Format(ulong mac) =>
        $"{(byte)mac:x2}:{(byte)(mac >> 8):x2}:{(byte)(mac >> 16):x2}:{(byte)(mac >> 24):x2}:{(byte)(mac >> 32):x2}:{(byte)(mac >> 40):x2}";

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Read(byte* at) => *(uint*)at | ((ulong)*(ushort*)(at + 4) << 32);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Write(byte* at, ulong mac)
    {
        *(uint*)at = (uint)mac;
        *(ushort*)(at + 4) = (ushort)(mac >> 32);
    }
}
