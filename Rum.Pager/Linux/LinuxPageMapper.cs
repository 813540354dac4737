using System.Diagnostics;
using System.Runtime.InteropServices;
using Rum.Core;
using Rum.FastPath.Tracing;
using Rum.Pager.Paging;
using static Rum.Pager.Linux.PagerNative;

namespace Rum.Pager.Linux;

/// <summary>Pages mapped by userfaultfd. Regions and slots are private anonymous mappings with equal flags, as UFFDIO_MOVE asks.</summary>
internal sealed unsafe class LinuxPageMapper : IPageMapper, IDisposable
{
    private const int ZeroRun = SlotPool.Run;
    private const int MoveRetriesMax = 10_000;

    private readonly Userfaultfd _uffd;
    private readonly InlineFaults? _faults;
    private readonly ClosedRanges _closed = new();
    private readonly nint _slots;
    private readonly long _slotBytes;
    private readonly byte* _zeros;
    private readonly StageTrace? _trace;

    internal LinuxPageMapper(Userfaultfd uffd, int slots, bool move, InlineFaults? faults, StageTrace? trace)
    {
        _trace = trace;
        _uffd = uffd;
        _faults = faults;
        Moves = move;
        _slotBytes = (long)slots << Layout.PageShift;
        _slots = Reserve(_slotBytes, ProtRead | ProtWrite);
        _zeros = (byte*)Reserve(ZeroRun * Layout.PageSize, ProtRead | ProtWrite);
        if (!move) return;
        Require(uffd.RegisterRange(_slots, _slotBytes, false), "UFFDIO_REGISTER");
        MovesZeroPages = ProbeZeroMove();
    }

    public bool Moves { get; }

    public bool MovesZeroPages { get; }

    public long NowNs => Stopwatch.GetTimestamp();

    public byte* Slots => (byte*)_slots;

    public RumError OpenRegion(long reservedBytes, long bytes, bool readOnly, out nint address)
    {
        address = Mmap(0, (nuint)(reservedBytes + Layout.PageSize), ProtNone, MapPrivate | MapAnonymous | MapNoReserve, -1, 0);
        if (address == -1) return RumError.OutOfMemory;
        Madvise(address, (nuint)reservedBytes, MadvDontFork);
        Madvise(address, (nuint)reservedBytes, MadvNoHugePage);
        Require(_uffd.RegisterRange(address, reservedBytes, !Moves && !readOnly), "UFFDIO_REGISTER");
        RumError error = ResizeRegion(address, 0, bytes, readOnly);
        if (error != RumError.None || _faults is null) return error;
        // Whoever started since and took the signal is put behind us, before the program knows the address.
        _faults.Watch();
        return _faults.Add(address, reservedBytes) ? RumError.None : RumError.OutOfMemory;
    }

    public RumError ResizeRegion(nint address, long oldBytes, long newBytes, bool readOnly)
    {
        if (oldBytes == newBytes) return RumError.None;
        bool grow = newBytes > oldBytes;
        nint start = address + (nint)Math.Min(oldBytes, newBytes);
        int protection = !grow ? ProtNone : readOnly ? ProtRead : ProtRead | ProtWrite;
        return Mprotect(start, (nuint)Math.Abs(newBytes - oldBytes), protection) == 0 ? RumError.None : RumError.OutOfMemory;
    }

    public void CloseRegion(nint address, long reservedBytes)
    {
        nint again = Mmap(address, (nuint)reservedBytes, ProtNone, MapPrivate | MapAnonymous | MapNoReserve | MapFixed, -1, 0);
        Invariant.Check(again == address);
        _uffd.WakeRange(address, reservedBytes);
        _faults?.Remove(address);
        _faults?.End(address, reservedBytes >> Layout.PageShift, FaultOutcome.Again);
        _closed.Add(address, reservedBytes + Layout.PageSize);
    }

    public void* OpenTable(long bytes) => (void*)Reserve(bytes, ProtRead | ProtWrite);

    public void CloseTable(void* table, long bytes) => Munmap((nint)table, (nuint)bytes);

    public void BackSlots(int slot, int count)
    {
        if (!Moves) return;
        nint to = SlotAddress(slot);
        long bytes = (long)count << Layout.PageShift;
        while (bytes > 0)
        {
            long done = _uffd.CopyPages(to, _zeros, bytes);
            if (done == -Eagain) continue;
            Require(done < 0 ? (int)done : 0, "UFFDIO_COPY");
            to += (nint)done;
            bytes -= done;
        }
    }

    public void UnbackSlots(int slot, int count) => Madvise(SlotAddress(slot), (nuint)((long)count << Layout.PageShift), MadvDontNeed);

    public MapOutcome MoveIn(nint page, int slot, int count, out int done)
    {
        _trace?.Note(Stage.Mapping);
        MapOutcome outcome = Move(page, SlotAddress(slot), count, out done);
        _trace?.Note(Stage.Mapped);
        Arrived(page, done);
        return outcome;
    }

    public MapOutcome MoveOut(int slot, nint page, int count, out int done) => Move(SlotAddress(slot), page, count, out done);

    public MapOutcome CopyIn(nint page, byte* source, int count, out int done)
    {
        long left = (long)count << Layout.PageShift;
        done = 0;
        while (left > 0)
        {
            long n = _uffd.CopyPages(page + ((nint)done << Layout.PageShift), source + ((long)done << Layout.PageShift), left);
            if (n > 0)
            {
                left -= n;
                done += (int)(n >> Layout.PageShift);
            }
            else if (n == -Eexist)
            {
                Arrived(page, done);
                return MapOutcome.Exists;
            }
            else if (n != -Eagain)
            {
                Require((int)n, "UFFDIO_COPY");
            }
        }

        Arrived(page, done);
        return MapOutcome.Done;
    }

    public MapOutcome Zero(nint page, int count, out int done)
    {
        long left = (long)count << Layout.PageShift;
        done = 0;
        while (left > 0)
        {
            long n = _uffd.ZeroPages(page + ((nint)done << Layout.PageShift), left);
            if (n > 0)
            {
                left -= n;
                done += (int)(n >> Layout.PageShift);
            }
            else if (n == -Eexist)
            {
                Arrived(page, done);
                return MapOutcome.Exists;
            }
            else if (n != -Eagain)
            {
                Require((int)n, "UFFDIO_ZEROPAGE");
            }
        }

        Arrived(page, done);
        return MapOutcome.Done;
    }

    public void Protect(nint page, bool on)
    {
        int error;
        do error = _uffd.ProtectPages(page, Layout.PageSize, on);
        while (error == -Eagain);
        if (on) return;
        _uffd.WakeRange(page, Layout.PageSize);
        Arrived(page, 1);
    }

    public void Drop(nint page, long count) => Madvise(page, (nuint)(count << Layout.PageShift), MadvDontNeed);

    public void Wake(nint page)
    {
        if (_faults is null) _uffd.WakeRange(page, Layout.PageSize);
        else _faults.End(page, 1, FaultOutcome.Again);
    }

    public void Retry(nint page)
    {
        if (_faults is null) _uffd.WakeRange(page, Layout.PageSize);
        else _faults.End(page, 1, FaultOutcome.NoRoom);
    }

    /// <summary>Without UFFDIO_POISON (before Linux 6.6) the page is made inaccessible: SIGSEGV instead of SIGBUS.</summary>
    public void Poison(nint page)
    {
        // Exists: it is marked already.
        bool marked = _uffd.HasPoison && _uffd.PoisonPages(page, Layout.PageSize) is > 0 or -Eexist;
        if (!marked) Mprotect(page, Layout.PageSize, ProtNone);
        _faults?.End(page, 1, FaultOutcome.Failed);
        Wake(page);
    }

    public byte* View(nint page) => (byte*)page;

    public void Dispose()
    {
        Munmap(_slots, (nuint)_slotBytes);
        Munmap((nint)_zeros, ZeroRun * Layout.PageSize);
    }

    internal static nint Reserve(long bytes, int protection)
    {
        nint address = Mmap(0, (nuint)bytes, protection, MapPrivate | MapAnonymous | MapNoReserve, -1, 0);
        if (address == -1) throw new InvalidOperationException($"mmap of {bytes} bytes failed: {Marshal.GetLastPInvokeErrorMessage()}");
        Madvise(address, (nuint)bytes, MadvDontFork);
        Madvise(address, (nuint)bytes, MadvNoHugePage);
        return address;
    }

    private MapOutcome Move(nint to, nint from, int count, out int done)
    {
        long left = (long)count << Layout.PageShift;
        done = 0;
        int retries = 0;
        while (left > 0)
        {
            nint offset = (nint)done << Layout.PageShift;
            long n = _uffd.MovePages(to + offset, from + offset, left);
            if (n > 0)
            {
                left -= n;
                done += (int)(n >> Layout.PageShift);
                continue;
            }

            switch (-n)
            {
                case Eagain when ++retries < MoveRetriesMax: continue;
                case Eagain or Ebusy: return MapOutcome.Busy;
                case Eexist: return MapOutcome.Exists;
                case Enoent: return MapOutcome.Missing;
                default: Require((int)n, $"UFFDIO_MOVE of {left} bytes from 0x{from + offset:x} (slots at 0x{_slots:x}) to 0x{to + offset:x}"); break;
            }
        }

        return MapOutcome.Done;
    }

    /// <summary>Linux 6.8 moves pages with memory of their own only; later ones the shared zero page too.</summary>
    private bool ProbeZeroMove()
    {
        long zeroed = _uffd.ZeroPages(_slots, Layout.PageSize);
        bool moved = zeroed > 0 && _uffd.MovePages(_slots + Layout.PageSize, _slots, Layout.PageSize) == Layout.PageSize;
        UnbackSlots(0, 2);
        return moved;
    }

    private void Arrived(nint page, int count)
    {
        if (_faults is not null && count > 0) _faults.End(page, count, FaultOutcome.Arrived);
    }

    private nint SlotAddress(int slot) => _slots + ((nint)slot << Layout.PageShift);

    private static void Require(int outcome, string call)
    {
        if (outcome >= 0) return;
        throw new InvalidOperationException($"{call} failed: {Marshal.GetPInvokeErrorMessage(-outcome)}");
    }
}
