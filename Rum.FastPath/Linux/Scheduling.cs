using System.Runtime.InteropServices;

namespace Rum.FastPath.Linux;

/// <summary>Threads and CPUs, under the C names.</summary>
public static unsafe partial class Scheduling
{
    /// <summary>CPUs that the masks here can name.</summary>
    public const int CpusMax = 1024;

    /// <summary>The nice value of an urgent thread, where it may have it.</summary>
    public const int UrgentNice = -10;

    // The shortest that the kernel grants.
    private const ulong ShortSliceNs = 100_000;
    private const int GetAttributes = 315, SetAttributes = 314;

    /// <summary>Gives the CPU away if someone waits for it; returns at once otherwise. Can take a scheduler slice.</summary>
    [LibraryImport("libc", SetLastError = true)]
    public static partial int sched_yield();

    [LibraryImport("libc", SetLastError = true)]
    public static partial int sched_setaffinity(int pid, nuint cpusetsize, void* mask);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int sched_getaffinity(int pid, nuint cpusetsize, void* mask);

    /// <summary>The CPU that this thread is on now (a vDSO call, a few nanoseconds).</summary>
    [LibraryImport("libc")]
    [SuppressGCTransition]
    public static partial int sched_getcpu();

    /// <summary>This thread's kernel id.</summary>
    [LibraryImport("libc")]
    public static partial int gettid();

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(nint number, nint first, void* second, nuint third, nuint fourth);

    /// <summary>Binds a thread (0: this one) to one CPU; false when that CPU isn't allowed to this process.</summary>
    public static bool TryPin(int thread, int cpu)
    {
        if ((uint)cpu >= CpusMax) return false;
        ulong* mask = stackalloc ulong[CpusMax / 64];
        new Span<ulong>(mask, CpusMax / 64).Clear();
        mask[cpu / 64] = 1UL << (cpu % 64);
        return sched_setaffinity(thread, CpusMax / 8, mask) == 0;
    }

    /// <summary>This thread's nice value: -20 (first) to 19.</summary>
    public static int Nice
    {
        get
        {
            SchedulingAttributes attributes = default;
            return TryGet(ref attributes) ? attributes.Nice : 0;
        }
    }

    /// <summary>
    /// Lets this thread, when woken, run before whoever computes on its CPU, or makes it one of many again. It then has short slices, so that its deadline is the earliest, and, where this
    /// process may (CAP_SYS_NICE, RLIMIT_NICE), <see cref="UrgentNice"/>, so that it needs no turn of its own. For a thread that blocks: one that spins would give next to nothing away by
    /// its yields. Slices since Linux 6.12 (sched_setattr(2), EEVDF). False when the kernel refuses, or the thread is none of the usual scheduling class.
    /// </summary>
    /// <param name="on">Whether it is urgent.</param>
    /// <param name="usualNice">What it has otherwise.</param>
    public static bool TrySetUrgent(bool on, int usualNice)
    {
        SchedulingAttributes attributes = default;
        if (!TryGet(ref attributes) || attributes.Policy != 0) return false;
        attributes.Runtime = on ? ShortSliceNs : 0;
        attributes.Nice = on ? Math.Min(usualNice, UrgentNice) : usualNice;
        if (syscall(SetAttributes, 0, &attributes, 0, 0) == 0) return true;
        attributes.Nice = usualNice;
        return syscall(SetAttributes, 0, &attributes, 0, 0) == 0;
    }

    private static bool TryGet(ref SchedulingAttributes attributes)
    {
        attributes.Size = (uint)sizeof(SchedulingAttributes);
        fixed (SchedulingAttributes* at = &attributes) return syscall(GetAttributes, 0, at, attributes.Size, 0) == 0;
    }

    /// <summary>The CPUs that this thread may run on, in order.</summary>
    public static int[] AllowedCpus()
    {
        ulong* mask = stackalloc ulong[CpusMax / 64];
        new Span<ulong>(mask, CpusMax / 64).Clear();
        ErrnoException.Check(sched_getaffinity(0, CpusMax / 8, mask), nameof(sched_getaffinity));
        var cpus = new List<int>();
        for (int cpu = 0; cpu < CpusMax; cpu++)
            if ((mask[cpu / 64] >> (cpu % 64) & 1) != 0) cpus.Add(cpu);
        return [.. cpus];
    }

    // struct sched_attr as of its first version.
    private struct SchedulingAttributes
    {
        public uint Size;
        public uint Policy;
        public ulong Flags;
        public int Nice;
        public uint Priority;
        public ulong Runtime;
        public ulong Deadline;
        public ulong Period;
    }
}
