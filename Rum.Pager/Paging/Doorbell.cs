using Rum.Core;
using Rum.Pager.Linux;

namespace Rum.Pager.Paging;

/// <summary>
/// How application threads give the pager commands while it blocks in read(userfaultfd): each command slot has a page registered with the
/// same descriptor. Touching it is the bell, and resolving the fault is the completion. The touch is a libc call with the GC transition, so
/// that a collection of our own runtime never waits for it.
/// </summary>
internal sealed unsafe class Doorbell : IDisposable
{
    private const int Count = 64;
    private const int Idle = 0, Posted = 1, Taken = 2;

    private readonly Userfaultfd _uffd;
    private readonly nint _pages;
    private readonly PagerCommand[] _commands = new PagerCommand[Count];
    private readonly int[] _states = new int[Count];
    private readonly int[] _unused = new int[Count];
    private readonly object _lock = new();
    private int _unusedCount;

    internal Doorbell(Userfaultfd uffd)
    {
        _uffd = uffd;
        _pages = LinuxPageMapper.Reserve(Count << Layout.PageShift, PagerNative.ProtRead | PagerNative.ProtWrite);
        Invariant.Check(uffd.RegisterRange(_pages, Count << Layout.PageShift, false) >= 0);
        for (int i = 0; i < Count; i++)
        {
            _commands[i] = new PagerCommand { Tag = i };
            _unused[_unusedCount++] = i;
        }
    }

    /// <summary>A free command slot, waiting for one when all are in use.</summary>
    internal PagerCommand Claim(PagerCommandKind kind)
    {
        lock (_lock)
        {
            while (_unusedCount == 0) Monitor.Wait(_lock);
            PagerCommand command = _commands[_unused[--_unusedCount]];
            command.Kind = kind;
            command.Address = 0;
            command.Length = 0;
            command.Region = default;
            command.WriteBack = false;
            command.Why = RumError.None;
            return command;
        }
    }

    /// <summary>Gives the command to the pager, waits for its end, and gives the slot back.</summary>
    internal RumError Ring(PagerCommand command, out nint address) => Ring(command, out address, out _);

    /// <summary>As above; <paramref name="silent"/>: see <see cref="PagerCommand.Silent"/>.</summary>
    internal RumError Ring(PagerCommand command, out nint address, out Incarnation silent)
    {
        nint page = PageOf(command.Tag);
        PagerNative.Madvise(page, Layout.PageSize, PagerNative.MadvDontNeed);
        Volatile.Write(ref _states[command.Tag], Posted);
        byte bell;
        PagerNative.Memcpy(&bell, (void*)page, 1);
        RumError result = command.Result;
        address = command.ResultAddress;
        silent = command.Silent;
        lock (_lock)
        {
            _unused[_unusedCount++] = command.Tag;
            Monitor.Pulse(_lock);
        }

        return result;
    }

    /// <summary>Pager thread: the command whose bell an address is; null when it is none, or its message is a repetition.</summary>
    internal PagerCommand? Take(nint address, out bool isBell)
    {
        long index = (address - _pages) >> Layout.PageShift;
        isBell = address >= _pages && index < Count;
        if (!isBell || Volatile.Read(ref _states[index]) != Posted) return null;
        _states[index] = Taken;
        return _commands[index];
    }

    /// <summary>Pager thread: lets the thread that rang go on.</summary>
    internal void Complete(PagerCommand command)
    {
        Volatile.Write(ref _states[command.Tag], Idle);
        while (_uffd.ZeroPages(PageOf(command.Tag), Layout.PageSize) == -PagerNative.Eagain) { }
    }

    /// <inheritdoc/>
    public void Dispose() => PagerNative.Munmap(_pages, Count << Layout.PageShift);

    private nint PageOf(int index) => _pages + (index << Layout.PageShift);
}
