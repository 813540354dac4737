using System.Runtime.InteropServices;
using Rum.Core;
using Rum.Pager.Paging;
using Rum.Simulation.Pages;

namespace Rum.Simulation.Client;

/// <summary>How a thread's touch of an address ended.</summary>
internal enum Touch
{
    /// <summary>The page is there.</summary>
    Done,

    /// <summary>The thread waits for the pager.</summary>
    Faults,

    /// <summary>The platform's ordinary fault: no region.</summary>
    Segv,

    /// <summary>The page was given up.</summary>
    Sigbus,
}

/// <summary>
/// The machine under the engine: page frames, what is mapped where, who waits. It counts frames, and stops the run when the engine maps a page twice,
/// takes one that isn't there, uses a slot without memory or more frames than the cache has. A moved page leaves garbage behind.
/// </summary>
internal sealed unsafe class SimulatedMemory : IPageMapper, IDisposable
{
    private const byte Garbage = 0xDB;

    private readonly World _world;
    private readonly string _who;
    private readonly Random _random;
    private readonly int _cachePages;
    private readonly bool[] _backed;
    private readonly byte* _frames;
    private readonly Stack<nint> _freeFrames = new();
    private readonly Dictionary<nint, Mapped> _mapped = [];
    private readonly HashSet<nint> _poisoned = [];
    private readonly List<Area> _areas = [];
    private readonly List<(nint Page, bool Write, VirtualThread Thread)> _waiting = [];
    private readonly int _slotCount;
    private nint _nextAddress = unchecked((nint)0x10_0000_0000);
    private int _backedCount, _tables;

    private struct Mapped
    {
        public nint Frame;
        public bool Protected;
    }

    private sealed class Area
    {
        public nint Address;
        public long Reserved, Bytes;
        public bool ReadOnly;
    }

    public SimulatedMemory(World world, string who, int cachePages, bool moves, bool movesZeroPages)
    {
        _world = world;
        _who = who;
        _random = world.Random;
        _cachePages = cachePages;
        Moves = moves;
        MovesZeroPages = movesZeroPages;
        _slotCount = PagerEngine.SlotsFor(cachePages);
        _backed = new bool[_slotCount];
        Slots = (byte*)NativeMemory.AlignedAlloc((nuint)_slotCount << Layout.PageShift, Layout.PageSize);
        int frames = cachePages + 1;
        _frames = (byte*)NativeMemory.AlignedAlloc((nuint)frames << Layout.PageShift, Layout.PageSize);
        for (int i = frames - 1; i >= 0; i--) _freeFrames.Push((nint)(_frames + ((long)i << Layout.PageShift)));
    }

    public bool Moves { get; }

    public bool MovesZeroPages { get; }

    public long NowNs
    {
        get
        {
            Preempted?.Invoke();
            return _world.NowNs;
        }
    }

    public byte* Slots { get; }

    /// <summary>Called wherever another thread may run: between any two things that the engine does.</summary>
    public Action? Preempted { get; set; }

    /// <summary>Share of moves that find a page held by the kernel.</summary>
    public double BusyRate { get; set; }

    /// <summary>Faults that the pager hasn't been told of.</summary>
    public List<(nint Page, bool Protect, VirtualThread Thread)> Faults { get; } = [];

    /// <summary>Pages mapped now.</summary>
    public int MappedPages => _mapped.Count;

    /// <summary>Stops the run unless every frame has one place; <paramref name="empty"/>: and no region is left.</summary>
    public void CheckFrames(bool empty = false)
    {
        if (_mapped.Count + _backedCount > _cachePages)
            throw new SimulationException($"{_mapped.Count} mapped pages and {_backedCount} slots with memory exceed the cache of {_cachePages}");
        if (empty && (_mapped.Count > 0 || _areas.Count > 0 || _tables > 0 || _waiting.Count > 0))
            throw new SimulationException($"after the end {_mapped.Count} pages, {_areas.Count} regions, {_tables} tables and {_waiting.Count} waiting threads are left");
    }

    /// <summary>A thread touches an address. When the page isn't there, the thread waits from now on, and the pager has a fault to hear of.</summary>
    public Touch Access(nint address, bool write, VirtualThread thread, out byte* at)
    {
        at = null;
        nint page = address & ~(nint)(Layout.PageSize - 1);
        Area? area = _areas.Find(a => page >= a.Address && page - a.Address < a.Bytes);
        if (area == null || (write && area.ReadOnly)) return Touch.Segv;
        if (_poisoned.Contains(page)) return Touch.Sigbus;
        bool there = _mapped.TryGetValue(page, out Mapped mapped);
        if (there && !(write && mapped.Protected))
        {
            at = (byte*)mapped.Frame + (address - page);
            return Touch.Done;
        }
        _waiting.Add((page, write, thread));
        Faults.Add((page, there, thread));
        return Touch.Faults;
    }

    /// <summary>The words of a page that is mapped.</summary>
    public bool TryLook(nint page, out byte* frame)
    {
        bool there = _mapped.TryGetValue(page, out Mapped mapped);
        frame = (byte*)mapped.Frame;
        return there;
    }

    public RumError OpenRegion(long reservedBytes, long bytes, bool readOnly, out nint address)
    {
        address = _nextAddress;
        _nextAddress += (nint)reservedBytes + Layout.PageSize;
        _areas.Add(new Area { Address = address, Reserved = reservedBytes, Bytes = bytes, ReadOnly = readOnly });
        return RumError.None;
    }

    public RumError ResizeRegion(nint address, long oldBytes, long newBytes, bool readOnly)
    {
        Area area = _areas.Find(a => a.Address == address)!;
        Check(area.Bytes == oldBytes && newBytes <= area.Reserved, "resizes a region that has another size", address);
        area.Bytes = newBytes;
        foreach (nint page in _mapped.Keys)
            Check(page < address + newBytes || page >= address + area.Reserved, "cuts off a page that is mapped", page);
        return RumError.None;
    }

    public void CloseRegion(nint address, long reservedBytes)
    {
        Check(_areas.RemoveAll(a => a.Address == address && a.Reserved == reservedBytes) == 1, "closes a region that isn't open", address);
        foreach (nint page in _mapped.Keys.Where(p => p >= address && p - address < reservedBytes).ToArray()) Unmap(page);
        WakeRange(address, reservedBytes);
    }

    public void* OpenTable(long bytes)
    {
        _tables++;
        return NativeMemory.AllocZeroed((nuint)bytes);
    }

    public void CloseTable(void* table, long bytes)
    {
        _tables--;
        NativeMemory.Free(table);
    }

    public void BackSlots(int slot, int count)
    {
        for (int s = slot; s < slot + count; s++)
        {
            Check(!_backed[s], "backs a slot that has memory", s);
            Back(s, true);
            new Span<byte>(SlotAddress(s), Layout.PageSize).Clear();
        }
    }

    public void UnbackSlots(int slot, int count)
    {
        for (int s = slot; s < slot + count; s++)
        {
            Check(_backed[s], "gives back the memory of a slot that has none", s);
            Back(s, false);
        }
    }

    public MapOutcome MoveIn(nint page, int slot, int count, out int done)
    {
        for (done = 0; done < count; done++)
        {
            Preempted?.Invoke();
            nint to = page + ((nint)done << Layout.PageShift);
            Check(_backed[slot + done], "moves a slot in that has no memory", slot + done);
            if (_poisoned.Contains(to)) return MapOutcome.Exists;
            CheckMissing(to);
            if (Chance(BusyRate / 4)) return MapOutcome.Busy;
            byte* frame = Map(to);
            Note("moves slot {1} in at {0:x}", to, slot + done);
            new ReadOnlySpan<byte>(SlotAddress(slot + done), Layout.PageSize).CopyTo(new Span<byte>(frame, Layout.PageSize));
            Back(slot + done, false);
            WakeRange(to, Layout.PageSize);
        }
        return MapOutcome.Done;
    }

    public MapOutcome MoveOut(int slot, nint page, int count, out int done)
    {
        Check(Moves, "moves pages where it can't", page);
        for (done = 0; done < count; done++)
        {
            Preempted?.Invoke();
            nint from = page + ((nint)done << Layout.PageShift);
            Check(!_backed[slot + done], "moves a page to a slot that has memory", slot + done);
            if (!_mapped.TryGetValue(from, out Mapped mapped)) return MapOutcome.Missing;
            if (Chance(BusyRate)) return MapOutcome.Busy;
            new ReadOnlySpan<byte>((byte*)mapped.Frame, Layout.PageSize).CopyTo(new Span<byte>(SlotAddress(slot + done), Layout.PageSize));
            Note("moves {0:x} out to slot {1}", from, slot + done);
            _backed[slot + done] = true;
            _backedCount++;
            Unmap(from);
        }
        return MapOutcome.Done;
    }

    public MapOutcome CopyIn(nint page, byte* source, int count, out int done)
    {
        for (done = 0; done < count; done++)
        {
            Preempted?.Invoke();
            nint to = page + ((nint)done << Layout.PageShift);
            if (_poisoned.Contains(to)) return MapOutcome.Exists;
            CheckMissing(to);
            byte* frame = Map(to);
            Note("copies in at {0:x}", to);
            new ReadOnlySpan<byte>(source + ((long)done << Layout.PageShift), Layout.PageSize).CopyTo(new Span<byte>(frame, Layout.PageSize));
            WakeRange(to, Layout.PageSize);
        }
        return MapOutcome.Done;
    }

    public MapOutcome Zero(nint page, int count, out int done)
    {
        for (done = 0; done < count; done++)
        {
            Preempted?.Invoke();
            nint to = page + ((nint)done << Layout.PageShift);
            if (_mapped.ContainsKey(to) || _poisoned.Contains(to)) return MapOutcome.Exists;
            new Span<byte>(Map(to), Layout.PageSize).Clear();
            Note("maps zeros at {0:x}", to);
            WakeRange(to, Layout.PageSize);
        }
        return MapOutcome.Done;
    }

    public void Protect(nint page, bool on)
    {
        Preempted?.Invoke();
        ref Mapped mapped = ref CollectionsMarshal.GetValueRefOrNullRef(_mapped, page);
        if (!System.Runtime.CompilerServices.Unsafe.IsNullRef(ref mapped)) mapped.Protected = on;
        if (!on) WakeRange(page, Layout.PageSize);
    }

    public void Drop(nint page, long count)
    {
        for (long i = 0; i < count; i++)
        {
            Preempted?.Invoke();
            nint at = page + (nint)(i << Layout.PageShift);
            if (_poisoned.Remove(at)) continue;
            Check(_mapped.ContainsKey(at), "drops a page that isn't mapped", at);
            Note("drops {0:x}", at);
            Unmap(at);
        }
    }

    public void Wake(nint page)
    {
        Preempted?.Invoke();
        WakeRange(page, Layout.PageSize);
    }

    public void Poison(nint page)
    {
        Check(!_mapped.ContainsKey(page), "poisons a page that is mapped", page);
        _poisoned.Add(page);
        WakeRange(page, Layout.PageSize);
    }

    public byte* View(nint page)
    {
        Preempted?.Invoke();
        Check(_mapped.TryGetValue(page, out Mapped mapped), "looks at a page that isn't mapped", page);
        return (byte*)mapped.Frame;
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(Slots);
        NativeMemory.AlignedFree(_frames);
    }

    private void Note(string what, nint page, int slot = 0) => _world.Note(_who, what, page, slot);

    private byte* SlotAddress(int slot) => Slots + ((long)slot << Layout.PageShift);

    private bool Chance(double rate) => rate > 0 && _random.NextDouble() < rate;

    private void Back(int slot, bool backed)
    {
        _backed[slot] = backed;
        _backedCount += backed ? 1 : -1;
        if (!backed) new Span<byte>(SlotAddress(slot), Layout.PageSize).Fill(Garbage);
    }

    private byte* Map(nint page)
    {
        Area? area = _areas.Find(a => page >= a.Address && page - a.Address < a.Bytes);
        Check(area != null, "maps a page outside of every region", page);
        Check(_freeFrames.Count > 0, "has no frame left for a page", page);
        nint frame = _freeFrames.Pop();
        _mapped.Add(page, new Mapped { Frame = frame });
        return (byte*)frame;
    }

    private void Unmap(nint page)
    {
        _mapped.Remove(page, out Mapped mapped);
        new Span<byte>((byte*)mapped.Frame, Layout.PageSize).Fill(Garbage);
        _freeFrames.Push(mapped.Frame);
    }

    private void WakeRange(nint start, long bytes)
    {
        for (int i = _waiting.Count - 1; i >= 0; i--)
        {
            (nint page, _, VirtualThread thread) = _waiting[i];
            if (page < start || page - start >= bytes) continue;
            _waiting.RemoveAt(i);
            Faults.RemoveAll(f => f.Thread == thread);
            thread.Woken();
        }
    }

    private void CheckMissing(nint page) => Check(!_mapped.ContainsKey(page), "maps a page twice", page);

    private static void Check(bool holds, string what, nint where)
    {
        if (!holds) throw new SimulationException($"the engine {what} ({where:x})");
    }
}
