using System.Reflection;
using System.Runtime.InteropServices;
using Rum.Core;

namespace Rum.FastPath.Drivers.Dpdk;

/// <summary>
/// Loads librum_dpdk.so, and with it DPDK, when it is first asked for: a machine without DPDK runs the other drivers. It is looked for at
/// RUM_DPDK_LIBRARY, beside the program, beside librum.so, and where the system's loader looks. Any thread.
/// </summary>
public static unsafe partial class DpdkLibrary
{
    private const string FileName = "librum_dpdk.so";
    private const uint Abi = 1;

    // 22.11, the first that the shim is built and tested with; YY<<24 | MM<<16.
    private const uint VersionMin = (22u << 24) | (11u << 16);

    private static readonly Lock Gate = new();
    private static nint _handle;

    /// <summary>DPDK's version, "DPDK 22.11.11".</summary>
    public static string Version => Text(NativeMethods.rum_dpdk_version());

    /// <summary>Bytes that an mbuf keeps free in front of its data.</summary>
    internal static int Headroom { get; private set; }

    /// <summary>Loads the library and checks that it fits. Throws <see cref="DpdkException"/>.</summary>
    public static void Load()
    {
        lock (Gate)
        {
            if (_handle != 0) return;
            nint handle = Find(out string tried);
            if (handle == 0)
            {
                throw new DpdkException(
                    $"{FileName} can't be loaded ({tried}). Install DPDK and build again: apt-get install libdpdk-dev dpdk && make. 'rum dpdk check' looks at the rest.");
            }
            _handle = handle;
            NativeLibrary.SetDllImportResolver(typeof(DpdkLibrary).Assembly, Resolve);
        }
        MbufLayout layout;
        NativeMethods.rum_dpdk_layout(&layout);
        if (layout.Abi != Abi) throw new DpdkException($"{FileName} is of another build (interface {layout.Abi}, wanted {Abi}): build both again (make).");
        if (layout.Version < VersionMin) throw new DpdkException($"{Version} is too old: 22.11 or later is needed (Debian 12 has it: apt-get install dpdk).");
        bool fits = layout is
        {
            BufferAddress: Mbuf.BufferAddressOffset, DataOffset: Mbuf.DataOffsetOffset, Segments: Mbuf.SegmentsOffset, OffloadFlags: Mbuf.FlagsOffset,
            FrameLength: Mbuf.FrameLengthOffset, DataLength: Mbuf.DataLengthOffset, Next: Mbuf.NextOffset,
        };
        if (!fits) throw new DpdkException($"{Version} lays its packet buffers out in another way than this build expects: use DPDK 22.11.");
        Invariant.Check(sizeof(NativePortSetup) == 32 && sizeof(NativePortInfo) == 160);
        Headroom = (int)layout.Headroom;
    }

    /// <summary>What an error number means, in DPDK's words.</summary>
    internal static string Words(int error) => Text(NativeMethods.rum_dpdk_error(error));

    internal static string Text(byte* text) => Marshal.PtrToStringUTF8((nint)text) ?? "";

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) => name == NativeMethods.Library ? _handle : 0;

    private static nint Find(out string tried)
    {
        string? said = Environment.GetEnvironmentVariable("RUM_DPDK_LIBRARY");
        string[] places = string.IsNullOrEmpty(said)
            ? [Path.Combine(AppContext.BaseDirectory, FileName), Path.Combine(OwnDirectory() ?? AppContext.BaseDirectory, FileName), FileName]
            : [said];
        tried = "not found";
        foreach (string place in places)
        {
            if (place.Contains('/') && !File.Exists(place)) continue;
            void* handle = dlopen(place, RTLD_NOW);
            if (handle != null) return (nint)handle;
            tried = Text(dlerror());
        }
        return 0;
    }

    // Where librum.so is, when this code is part of it; null in a program of the common runtime.
    private static string? OwnDirectory()
    {
        DynamicLibraryInfo info;
        if (dladdr((delegate* unmanaged<void>)&Here, &info) == 0 || info.FileName == null) return null;
        return Path.GetDirectoryName(Text(info.FileName));
    }

    [UnmanagedCallersOnly]
    private static void Here()
    {
    }

    private const int RTLD_NOW = 2;

    private struct DynamicLibraryInfo
    {
        public byte* FileName;
        public void* Base;
        public byte* SymbolName;
        public void* Symbol;
    }

    [LibraryImport("libc")]
    private static partial int dladdr(void* address, DynamicLibraryInfo* info);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial void* dlopen(string path, int flags);

    [LibraryImport("libc")]
    private static partial byte* dlerror();
}
