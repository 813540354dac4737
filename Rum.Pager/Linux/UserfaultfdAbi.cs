using System.Runtime.InteropServices;

namespace Rum.Pager.Linux;

/// <summary>Structures, requests and flags of linux/userfaultfd.h (ioctl_userfaultfd(2)), as of Linux 6.8.</summary>
internal static class UserfaultfdAbi
{
    internal const ulong ApiVersion = 0xAA;
    internal const int UserModeOnly = 1;
    internal const ulong New = 0xAA00;
    internal const ulong Api = 0xC018AA3F;
    internal const ulong Register = 0xC020AA00;
    internal const ulong Unregister = 0x8010AA01;
    internal const ulong Wake = 0x8010AA02;
    internal const ulong Copy = 0xC028AA03;
    internal const ulong ZeroPage = 0xC020AA04;
    internal const ulong Move = 0xC028AA05;
    internal const ulong WriteProtect = 0xC018AA06;
    internal const ulong Poison = 0xC020AA08;

    internal const ulong FeaturePagefaultFlagWp = 1 << 0;
    internal const ulong FeatureSigbus = 1 << 7;
    internal const ulong FeatureThreadId = 1 << 8;
    internal const ulong FeaturePoison = 1 << 14;
    internal const ulong FeatureMove = 1 << 16;

    internal const ulong RegisterMissing = 1;
    internal const ulong RegisterWriteProtect = 2;
    internal const ulong WriteProtectOn = 1;
    internal const ulong WriteProtectDontWake = 2;

    internal const byte EventPagefault = 0x12;
    internal const ulong PagefaultFlagWp = 2;

    /// <summary>uffdio_api.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct ApiArgument
    {
        internal ulong Api, Features, Ioctls;
    }

    /// <summary>uffdio_range.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct RangeArgument
    {
        internal ulong Start, Length;
    }

    /// <summary>uffdio_register; uffdio_zeropage and uffdio_poison have the same shape (their result is the last word).</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct RangeModeArgument
    {
        internal ulong Start, Length, Mode;
        internal long Result;
    }

    /// <summary>uffdio_copy and uffdio_move: bytes done, or minus the error number, come back in the last word.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct TransferArgument
    {
        internal ulong To, From, Length, Mode;
        internal long Result;
    }

    /// <summary>uffdio_writeprotect.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct WriteProtectArgument
    {
        internal ulong Start, Length, Mode;
    }

    /// <summary>uffd_msg, as far as page faults use it.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 32)]
    internal struct Message
    {
        [FieldOffset(0)] internal byte Event;
        [FieldOffset(8)] internal ulong Flags;
        [FieldOffset(16)] internal ulong Address;
        [FieldOffset(24)] internal uint Thread;
    }
}
