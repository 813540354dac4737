using System.Runtime.InteropServices;

namespace Rum.Pager.Linux;

/// <summary>A thread that waits for a page (struct rum_fault of Native/fault.h), on that thread's stack: gone as soon as its state says so.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct WaitingFault
{
    internal const uint Protected = 1, Able = 2, Tired = 4;

    internal WaitingFault* Next;
    internal nint Page;
    internal uint State;
    internal uint Flags;

    /// <summary>Whether its thread goes on.</summary>
    internal static bool IsOver(uint state) => state is >= (uint)FaultOutcome.Arrived and <= (uint)FaultOutcome.Failed;
}

/// <summary>How a fault ends; the numbers are those of Native/fault.h.</summary>
internal enum FaultOutcome : uint
{
    /// <summary>The page was mapped.</summary>
    Arrived = 2,

    /// <summary>Nothing was mapped; the access tells what is the matter.</summary>
    Again = 3,

    /// <summary>As before, and somewhat later.</summary>
    NoRoom = 4,

    /// <summary>The page can't be had.</summary>
    Failed = 5,
}

/// <summary>How the pager thread waits; what a driver leaves behind. The numbers are those of Native/fault.h.</summary>
internal static class FaultTableState
{
    internal const uint Awake = 0, Naps = 1, Watches = 2, Sleeps = 3;
    internal const int LeaveNothing = 0, LeaveSteps = 1, LeavePager = 2;
    internal const uint Sleeping = 1;
}

/// <summary>What the SIGBUS handler and the pager share: struct rum_faults of Native/fault.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct FaultTable
{
    internal ulong Size;
    internal WaitingFault* Submitted;
    internal WaitingFault* Waiting;
    internal uint Engine;
    internal uint Pager;
    internal uint PagerWants;
    internal uint Frozen;
    internal uint Closed;
    internal uint Untold;
    internal ulong Drives;
    internal int Event;
    internal int Userfaultfd;
    internal delegate* unmanaged<int, int> Start;
    internal delegate* unmanaged<void> Refuse;
    internal delegate* unmanaged<void> Watch;
    internal delegate* unmanaged[SuppressGCTransition]<nint, ulong, int, int> Region;
    internal delegate* unmanaged[SuppressGCTransition]<int> Enter;
    internal delegate* unmanaged<int, void> Leave;
    internal delegate* unmanaged<WaitingFault*, void> Wake;
    internal delegate* unmanaged<void> Quiet;
}
