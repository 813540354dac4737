using Rum.Core;
using Rum.Pager.Linux;

namespace Rum.Pager.Paging;

/// <summary>
/// The faults that threads of the program resolve themselves, as the engine's owner of the moment sees them: takes those that were handed in, and
/// ends them when their pages are mapped. Native/fault.c is the other side.
/// </summary>
internal sealed unsafe class InlineFaults
{
    private static FaultTable* s_table;

    private readonly FaultTable* _table = s_table;

    private InlineFaults()
    {
    }

    /// <summary>The library's C part gives its table.</summary>
    internal static void Use(FaultTable* table)
    {
        Invariant.Check(table->Size == (ulong)sizeof(FaultTable), $"struct rum_faults has {table->Size} bytes, FaultTable {sizeof(FaultTable)}");
        s_table = table;
    }

    /// <summary>Installs the handler. Null: this process has no C part of the library, or the reason that <paramref name="error"/> numbers.</summary>
    internal static InlineFaults? Start(int userfaultfd, out int error)
    {
        error = s_table == null ? PagerNative.Enosys : s_table->Start(userfaultfd);
        return error == 0 ? new InlineFaults() : null;
    }

    /// <summary>Becomes readable when the pager thread is called.</summary>
    internal int Event => _table->Event;

    /// <summary>How often faulting threads drove the engine.</summary>
    internal ulong Drives => Volatile.Read(ref _table->Drives);

    /// <summary>Whether a fault waits to be taken.</summary>
    internal bool HasSubmitted => Volatile.Read(ref *(nint*)&_table->Submitted) != 0;

    /// <summary>Whether a thread waits that won't drive the engine itself.</summary>
    internal bool NeedsPager
    {
        get
        {
            for (WaitingFault* f = _table->Waiting; f != null; f = f->Next)
                if ((f->Flags & (WaitingFault.Able | WaitingFault.Tired)) != WaitingFault.Able) return true;
            return false;
        }
    }

    /// <summary>Becomes the engine's owner if nobody is.</summary>
    internal bool TryEnter() => _table->Enter() != 0;

    /// <summary>Gives the engine away, to who waits for it if somebody does.</summary>
    internal void Leave(int what) => _table->Leave(what);

    /// <summary>The handler keeps its place in front of those that came later.</summary>
    internal void Watch() => _table->Watch();

    /// <summary>The calling thread takes no asynchronous signals: their handlers might touch what it is to bring.</summary>
    internal void Quiet() => _table->Quiet();

    /// <summary>How the pager thread waits from now on; a full barrier, before it looks for the last time.</summary>
    internal void SetPager(uint state) => Interlocked.Exchange(ref _table->Pager, state);

    /// <summary>The pager thread wants the engine: its owner calls when it leaves.</summary>
    internal void Want(bool on) => Interlocked.Exchange(ref _table->PagerWants, on ? 1u : 0u);

    /// <summary>Messages wait for the pager thread.</summary>
    internal void CountUntold(int change) => Interlocked.Add(ref *(int*)&_table->Untold, change);

    /// <summary>From now on whoever faults waits for the end of the process.</summary>
    internal void Freeze() => Volatile.Write(ref _table->Frozen, 1);

    /// <summary>There is no engine any more: faults that were handed in, now or later, are given back.</summary>
    internal void Close()
    {
        Interlocked.Exchange(ref _table->Closed, 1);
        _table->Refuse();
    }

    /// <summary>Makes addresses ours. False: there are too many regions.</summary>
    internal bool Add(nint start, long bytes) => _table->Region(start, (ulong)bytes, 1) != 0;

    /// <summary>They are not ours any more.</summary>
    internal void Remove(nint start) => _table->Region(start, 0, 0);

    /// <summary>Owner: gives the engine what was handed in. Returns whether there was anything.</summary>
    internal bool Take(PagerEngine engine, long nowNs)
    {
        if (Volatile.Read(ref *(nint*)&_table->Submitted) == 0) return false;
        WaitingFault* f = (WaitingFault*)Interlocked.Exchange(ref *(nint*)&_table->Submitted, 0);
        while (f != null)
        {
            WaitingFault* next = f->Next;
            nint page = f->Page;
            bool protect = (f->Flags & WaitingFault.Protected) != 0;
            f->Next = _table->Waiting;
            _table->Waiting = f;
            engine.OnFault(page, protect, nowNs);
            f = next;
        }

        return true;
    }

    /// <summary>Owner: the threads that wait for these pages go on.</summary>
    internal void End(nint first, long pages, FaultOutcome outcome)
    {
        WaitingFault** link = &_table->Waiting;
        while (*link != null)
        {
            WaitingFault* f = *link;
            if (f->Page < first || f->Page - first >= (nint)(pages << Layout.PageShift))
            {
                link = &f->Next;
                continue;
            }

            *link = f->Next;
            if (Interlocked.Exchange(ref f->State, (uint)outcome) == FaultTableState.Sleeping) _table->Wake(f);
        }
    }

    /// <summary>Whether a fault is over. By its own thread only: others' are gone then.</summary>
    internal static bool IsOver(WaitingFault* fault) => WaitingFault.IsOver(Volatile.Read(ref fault->State));
}
