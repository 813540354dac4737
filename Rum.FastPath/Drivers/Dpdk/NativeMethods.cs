using System.Runtime.InteropServices;

namespace Rum.FastPath.Drivers.Dpdk;

/// <summary>
/// The functions of librum_dpdk.so (Native/rum_dpdk.c), under their C names. Those that answer an int give 0 or a count, or a negative errno. Bursts run with the GC
/// transition, because a port may be kernel-backed; the short calls around them don't. Only after <see cref="DpdkLibrary.Load"/>.
/// </summary>
internal static unsafe partial class NativeMethods
{
    /// <summary>The library's name for the loader.</summary>
    public const string Library = "rum_dpdk";

    [LibraryImport(Library)]
    public static partial void rum_dpdk_layout(MbufLayout* layout);

    [LibraryImport(Library)]
    public static partial byte* rum_dpdk_version();

    [LibraryImport(Library)]
    public static partial byte* rum_dpdk_error(int error);

    [LibraryImport(Library)]
    public static partial int rum_dpdk_init(int argc, byte** argv);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int rum_dpdk_attach(string devargs);

    [LibraryImport(Library)]
    public static partial int rum_dpdk_detach(ushort port);

    [LibraryImport(Library)]
    public static partial int rum_dpdk_ports(ushort* ids, int max);

    [LibraryImport(Library)]
    public static partial int rum_dpdk_port_info(ushort port, NativePortInfo* info);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial void* rum_dpdk_pool(string name, uint count, uint cache, uint room, int socket);

    [LibraryImport(Library)]
    public static partial void rum_dpdk_pool_free(void* pool);

    [LibraryImport(Library)]
    public static partial uint rum_dpdk_pool_available(void* pool);

    [LibraryImport(Library)]
    public static partial int rum_dpdk_configure(ushort port, NativePortSetup* setup, void* pool);

    [LibraryImport(Library)]
    public static partial int rum_dpdk_watch_link(ushort port, int eventDescriptor);

    [LibraryImport(Library)]
    public static partial void rum_dpdk_unwatch_link(ushort port, int eventDescriptor);

    [LibraryImport(Library)]
    [SuppressGCTransition]
    public static partial int rum_dpdk_link(ushort port);

    [LibraryImport(Library)]
    public static partial int rum_dpdk_counters(ushort port, NativePortCounters* counters);

    [LibraryImport(Library)]
    public static partial void rum_dpdk_stop(ushort port);

    [LibraryImport(Library)]
    public static partial ushort rum_dpdk_receive(ushort port, ushort queue, void** mbufs, ushort max);

    [LibraryImport(Library)]
    public static partial ushort rum_dpdk_send(ushort port, ushort queue, void** mbufs, ushort count);

    [LibraryImport(Library)]
    [SuppressGCTransition]
    public static partial int rum_dpdk_alloc(void* pool, void** mbufs, uint count);

    [LibraryImport(Library)]
    [SuppressGCTransition]
    public static partial void rum_dpdk_free(void** mbufs, uint count);

    [LibraryImport(Library)]
    public static partial void rum_dpdk_share(void* shared);

    [LibraryImport(Library)]
    [SuppressGCTransition]
    public static partial uint rum_dpdk_shared(void* shared);

    [LibraryImport(Library)]
    [SuppressGCTransition]
    public static partial void rum_dpdk_chain(void* head, void* segment, void* address, ushort length, void* shared);

    [LibraryImport(Library)]
    public static partial int rum_dpdk_interrupt_descriptor(ushort port, ushort queue);

    [LibraryImport(Library)]
    public static partial int rum_dpdk_interrupt_enable(ushort port, ushort queue);

    [LibraryImport(Library)]
    public static partial int rum_dpdk_interrupt_disable(ushort port, ushort queue);

    [LibraryImport(Library)]
    public static partial int rum_dpdk_socket(int family, uint interfaceIndex, int first);

    [LibraryImport(Library)]
    public static partial int rum_dpdk_register_thread();

    [LibraryImport(Library)]
    public static partial int rum_dpdk_huge_pages();
}
