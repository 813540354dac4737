using System.Runtime.InteropServices;
using Rum.Core;
using static Rum.Pager.Linux.PagerNative;
using static Rum.Pager.Linux.UserfaultfdAbi;

namespace Rum.Pager.Linux;

/// <summary>One userfaultfd: opened, its features probed, and its requests as methods that return how many bytes were done or minus the error number.</summary>
internal sealed unsafe class Userfaultfd : IDisposable
{
    private readonly int _fd;
    private bool _nonBlocking;

    private Userfaultfd(int fd, ulong features, bool userModeOnly)
    {
        _fd = fd;
        UserModeOnly = userModeOnly;
        HasMove = (features & FeatureMove) != 0;
        HasPoison = (features & FeaturePoison) != 0;
        HasThreadId = (features & FeatureThreadId) != 0;
        HasWriteProtect = (features & FeaturePagefaultFlagWp) != 0;
        Message message;
        nint n = ReadNow(&message, 1);
        HasNoWaitRead = n == -Eagain;
    }

    /// <summary>The file descriptor.</summary>
    internal int Descriptor => _fd;

    /// <summary>System calls on missing pages fail with EFAULT: neither the device nor the privilege was to be had.</summary>
    internal bool UserModeOnly { get; }

    /// <summary>UFFDIO_MOVE (Linux 6.8).</summary>
    internal bool HasMove { get; }

    /// <summary>UFFDIO_POISON (Linux 6.6).</summary>
    internal bool HasPoison { get; }

    /// <summary>Messages name the faulting thread.</summary>
    internal bool HasThreadId { get; }

    /// <summary>Pages can be write-protected (Linux 5.7).</summary>
    internal bool HasWriteProtect { get; }

    /// <summary>preadv2 with RWF_NOWAIT works on the descriptor (Linux 6.10); else reading without waiting goes over poll.</summary>
    internal bool HasNoWaitRead { get; }

    /// <summary>
    /// Opens one: the device first (faults of system calls work, the permission is the file's mode), then the system call, then the
    /// system call for faults from user mode only. What was tried and how to permit it stands in <paramref name="why"/> on failure.
    /// </summary>
    /// <remarks>
    /// <paramref name="sigbus"/>: faults raise SIGBUS in their thread and there are no messages. System calls on missing pages fail then in any case, so
    /// the one way that needs no permission is taken first.
    /// </remarks>
    internal static RumError Open(bool sigbus, out Userfaultfd? result, out string why)
    {
        result = null;
        why = "";
        bool userModeOnly = false;
        int fd = sigbus ? -1 : OpenDevice();
        if (fd < 0 && !sigbus) fd = (int)Syscall(SyscallUserfaultfd, OpenCloseOnExec);
        if (fd < 0)
        {
            fd = (int)Syscall(SyscallUserfaultfd, OpenCloseOnExec | UserModeOnlyFlag);
            userModeOnly = fd >= 0;
            if (fd < 0 && sigbus) fd = OpenAgain(false);
        }

        if (fd < 0)
        {
            why = Refusal(Marshal.GetLastPInvokeError());
            return RumError.UserfaultfdUnavailable;
        }

        ulong available = Handshake(fd, 0);
        Close(fd);
        fd = OpenAgain(userModeOnly);
        ulong wanted = available & (FeatureMove | FeaturePoison | FeatureThreadId | FeaturePagefaultFlagWp | (sigbus ? FeatureSigbus : 0));
        if (fd < 0 || sigbus && (wanted & FeatureSigbus) == 0 || Handshake(fd, wanted) == 0)
        {
            if (fd >= 0) Close(fd);
            why = "userfaultfd of this kernel refuses its API; Linux 5.15 or newer is needed.";
            return RumError.UserfaultfdUnavailable;
        }

        result = new Userfaultfd(fd, wanted, userModeOnly);
        return RumError.None;
    }

    /// <summary>Why there is no userfaultfd, and every way to permit it.</summary>
    internal static string Refusal(int error) => error == Enosys
        ? "this kernel has no userfaultfd (CONFIG_USERFAULTFD), or a sandbox (gVisor, an old seccomp profile) hides it; Linux 5.15 or newer is needed."
        : $"userfaultfd is not permitted here (error {error}, {Marshal.GetPInvokeErrorMessage(error)}). Permit it in one of these ways: " +
            "give this user access to /dev/userfaultfd (chmod 666 /dev/userfaultfd, or a group on it); " +
            "sysctl -w vm.unprivileged_userfaultfd=1; run with CAP_SYS_PTRACE; " +
            "in a container, allow the userfaultfd system call in the seccomp profile or pass --device /dev/userfaultfd.";

    private const int UserModeOnlyFlag = 1;

    private static int OpenDevice()
    {
        int device = PagerNative.Open("/dev/userfaultfd", OpenReadWrite | OpenCloseOnExec);
        if (device < 0) return -1;
        int fd = IoctlChecked(device, New, (void*)OpenCloseOnExec);
        Close(device);
        return fd;
    }

    private static int OpenAgain(bool userModeOnly)
    {
        if (userModeOnly) return (int)Syscall(SyscallUserfaultfd, OpenCloseOnExec | UserModeOnlyFlag);
        int fd = OpenDevice();
        return fd >= 0 ? fd : (int)Syscall(SyscallUserfaultfd, OpenCloseOnExec);
    }

    private static ulong Handshake(int fd, ulong features)
    {
        ApiArgument argument = new() { Api = ApiVersion, Features = features };
        return IoctlChecked(fd, UserfaultfdAbi.Api, &argument) == 0 ? argument.Features : 0;
    }

    /// <summary>Puts a range under this descriptor's care. 0, or minus the error number.</summary>
    internal int RegisterRange(nint start, long bytes, bool writeProtect)
    {
        RangeModeArgument argument = new() { Start = (ulong)start, Length = (ulong)bytes, Mode = RegisterMissing | (writeProtect ? RegisterWriteProtect : 0) };
        return IoctlChecked(_fd, Register, &argument) == 0 ? 0 : -Marshal.GetLastPInvokeError();
    }

    /// <summary>Moves pages: afterwards they are at <paramref name="to"/> and a hole is at <paramref name="from"/>.</summary>
    internal long MovePages(nint to, nint from, long bytes)
    {
        TransferArgument argument = new() { To = (ulong)to, From = (ulong)from, Length = (ulong)bytes };
        return Ioctl(_fd, Move, &argument) == 0 ? argument.Result : Failed(argument.Result);
    }

    /// <summary>Fills missing pages with copies.</summary>
    internal long CopyPages(nint to, void* from, long bytes)
    {
        TransferArgument argument = new() { To = (ulong)to, From = (ulong)from, Length = (ulong)bytes };
        return Ioctl(_fd, Copy, &argument) == 0 ? argument.Result : Failed(argument.Result);
    }

    /// <summary>Fills missing pages with the kernel's zero page.</summary>
    internal long ZeroPages(nint start, long bytes)
    {
        RangeModeArgument argument = new() { Start = (ulong)start, Length = (ulong)bytes };
        return Ioctl(_fd, ZeroPage, &argument) == 0 ? argument.Result : Failed(argument.Result);
    }

    /// <summary>Makes each touch of a missing range raise SIGBUS.</summary>
    internal long PoisonPages(nint start, long bytes)
    {
        RangeModeArgument argument = new() { Start = (ulong)start, Length = (ulong)bytes };
        return Ioctl(_fd, Poison, &argument) == 0 ? argument.Result : Failed(argument.Result);
    }

    /// <summary>Sets or clears write-protection; clearing wakes who waits.</summary>
    internal int ProtectPages(nint start, long bytes, bool on)
    {
        WriteProtectArgument argument = new() { Start = (ulong)start, Length = (ulong)bytes, Mode = on ? WriteProtectOn : 0 };
        return IoctlChecked(_fd, WriteProtect, &argument) == 0 ? 0 : -Marshal.GetLastPInvokeError();
    }

    /// <summary>Lets the threads that wait on a range try again.</summary>
    internal void WakeRange(nint start, long bytes)
    {
        RangeArgument argument = new() { Start = (ulong)start, Length = (ulong)bytes };
        Ioctl(_fd, Wake, &argument);
    }

    /// <summary>Blocks until a thread faults; returns the number of messages, or minus the error number.</summary>
    internal int ReadWait(Message* messages, int count)
    {
        SetNonBlocking(false);
        nint n = Read(_fd, messages, (nuint)(count * sizeof(Message)));
        return n < 0 ? -Marshal.GetLastSystemError() : (int)(n / sizeof(Message));
    }

    /// <summary>What messages there are now; 0 or -EAGAIN when there are none.</summary>
    internal int ReadNow(Message* messages, int count)
    {
        nint n;
        if (HasNoWaitRead || !_nonBlocking && !HasProbed)
        {
            HasProbed = true;
            IoVector vector = new() { Base = messages, Length = (nuint)(count * sizeof(Message)) };
            n = Preadv2(_fd, &vector, 1, -1, ReadNoWait);
        }
        else
        {
            SetNonBlocking(true);
            n = Read(_fd, messages, (nuint)(count * sizeof(Message)));
        }

        return n < 0 ? -Marshal.GetLastSystemError() : (int)(n / sizeof(Message));
    }

    private bool HasProbed { get; set; }

    /// <summary>poll(2) reports this descriptor only while it is non-blocking.</summary>
    internal void SetNonBlocking(bool on)
    {
        if (_nonBlocking == on) return;
        Fcntl(_fd, SetFileFlags, on ? OpenNonBlocking : 0);
        _nonBlocking = on;
    }

    /// <inheritdoc/>
    public void Dispose() => Close(_fd);

    private static long Failed(long result) => result != 0 ? result : -Marshal.GetLastSystemError();
}
