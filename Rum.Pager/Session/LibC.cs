using System.Runtime.InteropServices;

namespace Rum.Pager.Session;

/// <summary>
/// Copies that may touch remote memory. With the GC transition on purpose: a fault in managed code would keep the collector waiting for the
/// pager, which may wait for the collector.
/// </summary>
internal static partial class LibC
{
    /// <summary>memcpy.</summary>
    [LibraryImport("libc", EntryPoint = "memcpy")]
    public static partial nint MemCpy(nint to, nint from, nuint bytes);

    /// <summary>memset.</summary>
    [LibraryImport("libc", EntryPoint = "memset")]
    public static partial nint MemSet(nint to, int value, nuint bytes);
}
