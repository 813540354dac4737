using System.Runtime.InteropServices;
using Rum.Pager.Linux;
using Rum.Pager.Paging;

namespace Rum.Pager.Abi;

// What the SIGBUS handler of Native/fault.c calls.
internal static unsafe partial class Exports
{
    [UnmanagedCallersOnly(EntryPoint = "rum_managed_faults")]
    private static void Faults(FaultTable* table) => InlineFaults.Use(table);

    [UnmanagedCallersOnly(EntryPoint = "rum_managed_fault")]
    private static int Fault(WaitingFault* fault) => Paging.Pager.DriveInline(fault);
}
