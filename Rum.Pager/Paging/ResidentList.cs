using Rum.Core;

namespace Rum.Pager.Paging;

/// <summary>
/// The pages that are mapped, oldest first, with the hash of what the silo has. A doubly linked list over a fixed array; entry 0 is its
/// anchor. A pinned page has an entry, but isn't in the list, so the evictor never meets it.
/// </summary>
internal sealed class ResidentList
{
    private readonly Entry[] _entries;
    private int _unused;

    internal ResidentList(int pages)
    {
        _entries = new Entry[pages + 1];
        for (int i = pages; i >= 1; i--)
        {
            _entries[i].Next = _unused;
            _unused = i;
        }
    }

    internal int Count { get; private set; }

    /// <summary>The oldest entry, 0 when there is none.</summary>
    internal int Oldest => _entries[0].Next;

    internal ref Entry this[int entry] => ref _entries[entry];

    internal int Next(int entry) => _entries[entry].Next;

    internal int Add(Region region, long page, ulong hash, bool linked)
    {
        int entry = _unused;
        Invariant.Check(entry != 0);
        ref Entry e = ref _entries[entry];
        _unused = e.Next;
        e.Region = region;
        e.Page = page;
        e.Hash = hash;
        Count++;
        if (linked) Link(entry);
        return entry;
    }

    internal void Remove(int entry, bool linked)
    {
        if (linked) Unlink(entry);
        _entries[entry].Region = null!;
        _entries[entry].Next = _unused;
        _unused = entry;
        Count--;
    }

    internal void MoveToEnd(int entry)
    {
        Unlink(entry);
        Link(entry);
    }

    internal void Link(int entry)
    {
        int last = _entries[0].Previous;
        _entries[entry].Previous = last;
        _entries[entry].Next = 0;
        _entries[last].Next = entry;
        _entries[0].Previous = entry;
    }

    internal void Unlink(int entry)
    {
        int next = _entries[entry].Next, previous = _entries[entry].Previous;
        _entries[previous].Next = next;
        _entries[next].Previous = previous;
    }

    internal struct Entry
    {
        internal Region Region;
        internal long Page;
        internal ulong Hash;
        internal int Next;
        internal int Previous;
    }
}
