using Rum.Pager.Linux;

namespace Rum.Pager.Paging;

/// <summary>
/// Keeps the pager thread on the CPU of the thread that faults: waking a thread on another CPU costs several faults' time. Looks at most
/// every 20 ms of faulting; leaves everything alone where the process is pinned to one CPU, or the program's thread runs where the pager
/// may not. Used by the pager thread only.
/// </summary>
internal sealed unsafe class CpuPlacement
{
    private const long LookEveryNs = 20_000_000;
    private const int MaskBytes = 128;
    private const int ProcessorField = 39;

    private readonly ulong[] _allowed = new ulong[MaskBytes / 8];
    private readonly bool _enabled;
    private long _nextLookNs;
    private int _cpu = -1;

    internal CpuPlacement(bool enabled)
    {
        fixed (ulong* mask = _allowed)
        {
            int bits = 0;
            if (PagerNative.SchedGetaffinity(0, MaskBytes, mask) > 0)
                foreach (ulong word in _allowed) bits += System.Numerics.BitOperations.PopCount(word);
            _enabled = enabled && bits > 1;
        }
    }

    /// <summary>A fault of thread <paramref name="thread"/> was taken.</summary>
    internal void Faulted(int thread, long nowNs)
    {
        if (!_enabled || nowNs < _nextLookNs || thread == 0) return;
        _nextLookNs = nowNs + LookEveryNs;
        int cpu = CpuOf(thread);
        if (cpu < 0 || cpu == _cpu || cpu >= MaskBytes * 8 || (_allowed[cpu / 64] >> (cpu % 64) & 1) == 0) return;
        ulong* mask = stackalloc ulong[MaskBytes / 8];
        new Span<ulong>(mask, MaskBytes / 8).Clear();
        mask[cpu / 64] = 1UL << (cpu % 64);
        if (PagerNative.SchedSetaffinity(0, MaskBytes, mask) == 0) _cpu = cpu;
    }

    /// <summary>The CPU that a thread of this process ran on last, from /proc/self/task/N/stat; -1 when it is gone.</summary>
    private static int CpuOf(int thread)
    {
        byte* text = stackalloc byte[512];
        int at = 0;
        foreach (byte c in "/proc/self/task/"u8) text[at++] = c;
        int digits = 1;
        for (int t = thread; t >= 10; t /= 10) digits++;
        for (int i = digits - 1, t = thread; i >= 0; i--, t /= 10) text[at + i] = (byte)('0' + t % 10);
        at += digits;
        foreach (byte c in "/stat\0"u8) text[at++] = c;
        int fd = PagerNative.OpenRaw(text, PagerNative.OpenCloseOnExec);
        if (fd < 0) return -1;
        nint length = PagerNative.Pread(fd, text, 512, 0);
        PagerNative.Close(fd);
        int from = (int)length;
        while (from > 0 && text[from - 1] != ')') from--;
        int field = 2;
        for (int i = from; i < length; i++)
        {
            if (text[i] != ' ' || ++field != ProcessorField) continue;
            int cpu = 0;
            for (i++; i < length && text[i] is >= (byte)'0' and <= (byte)'9'; i++) cpu = cpu * 10 + text[i] - '0';
            return cpu;
        }

        return -1;
    }
}
