using System.Runtime.InteropServices;
using Rum.Pager.Linux;
using Rum.Pager.Paging;

namespace Rum.Pager.Abi;

// What Native/fault.c and Native/hash.c call and give.
internal static unsafe partial class Exports
{
    [UnmanagedCallersOnly(EntryPoint = "rum_managed_faults")]
    private static void Faults(FaultTable* table) => InlineFaults.Use(table);

    [UnmanagedCallersOnly(EntryPoint = "rum_managed_page_hash")]
    private static void Hash(NativePageHash* hash) => PageHash.Use(hash);

    [UnmanagedCallersOnly(EntryPoint = "rum_managed_fault")]
    private static int Fault(WaitingFault* fault) => Paging.Pager.DriveInline(fault);
}
