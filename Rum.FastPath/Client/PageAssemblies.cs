using Rum.Core;
using Rum.FastPath.Frames;
using Rum.FastPath.Memory;

namespace Rum.FastPath.Client;

/// <summary>
/// Pages of which some fragments have come. An entry hangs on its request's list; its buffer goes to the caller with the completion and
/// comes back at the next poll.
/// </summary>
internal sealed unsafe class PageAssemblies : IDisposable
{
    internal struct Entry
    {
        public ulong Page;
        public ulong Token, Sequence;
        public ulong Have;
        public int Next;
        public ushort FragmentSize;
        public byte Count;
    }

    private readonly NativeRegion _buffers;
    private readonly Entry[] _entries;
    private int _free = -1, _lent = -1;

    public PageAssemblies(int entries)
    {
        _entries = new Entry[entries];
        _buffers = new NativeRegion((long)entries << Layout.PageShift);
        for (int i = 0; i < entries; i++) Free(i);
    }

    /// <summary>
    /// Takes in a fragment of a page that belongs to the list at <paramref name="first"/>. Returns the entry's number when the page is whole (it is then
    /// off the list), else -1.
    /// </summary>
    public int Add(ref int first, FrameHeader* header, byte* payload, ref PageClientCounters counters)
    {
        if (header->FragmentCount > 64) return -1;
        int index = first, previous = -1;
        while (index >= 0 && _entries[index].Page != header->Page)
        {
            previous = index;
            index = _entries[index].Next;
        }
        ushort size = (ushort)FrameCodec.FragmentSize(header);
        if (index < 0)
        {
            index = _free;
            if (index < 0)
            {
                counters.AssembliesExhausted++;
                return -1;
            }
            _free = _entries[index].Next;
            _entries[index] = new Entry { Page = header->Page, Next = first };
            first = index;
            previous = -1;
            Begin(ref _entries[index], header, size);
        }
        ref Entry entry = ref _entries[index];
        var version = new PageVersion(entry.Token, entry.Sequence);
        if (version != header->PageVersion || entry.FragmentSize != size || entry.Count != header->FragmentCount)
        {
            // Only fragments of one version make a page. The newer one counts; an older is a late copy.
            counters.MixedFragments++;
            if (header->PageVersion < version) return -1;
            Begin(ref entry, header, size);
        }
        Buffer.MemoryCopy(payload, Image(index) + header->FragmentOffset, Layout.PageSize - header->FragmentOffset, header->Length);
        entry.Have |= 1UL << header->FragmentIndex;
        if (entry.Have != ulong.MaxValue >> (64 - entry.Count)) return -1;
        if (previous < 0) first = entry.Next; else _entries[previous].Next = entry.Next;
        return index;
    }

    /// <summary>The fragments that a page on a list still misses; 0: no fragment of it is here.</summary>
    public ulong Missing(int first, ulong page)
    {
        for (int i = first; i >= 0; i = _entries[i].Next)
            if (_entries[i].Page == page) return ~_entries[i].Have & (ulong.MaxValue >> (64 - _entries[i].Count));
        return 0;
    }

    /// <summary>Takes a page off a list, if it is on it.</summary>
    public void Remove(ref int first, ulong page)
    {
        int previous = -1;
        for (int i = first; i >= 0; previous = i, i = _entries[i].Next)
        {
            if (_entries[i].Page != page) continue;
            if (previous < 0) first = _entries[i].Next; else _entries[previous].Next = _entries[i].Next;
            Free(i);
            return;
        }
    }

    /// <summary>Frees a whole list.</summary>
    public void RemoveAll(ref int first)
    {
        while (first >= 0)
        {
            int next = _entries[first].Next;
            Free(first);
            first = next;
        }
    }

    /// <summary>The image of a whole page; the caller's until <see cref="TakeBack"/>.</summary>
    public byte* Lend(int index)
    {
        _entries[index].Next = _lent;
        _lent = index;
        return Image(index);
    }

    /// <summary>Ends all loans.</summary>
    public void TakeBack() => RemoveAll(ref _lent);

    public void Dispose() => _buffers.Dispose();

    private byte* Image(int index) => _buffers.Start + ((long)index << Layout.PageShift);

    private static void Begin(ref Entry entry, FrameHeader* header, ushort size)
    {
        (entry.Token, entry.Sequence, entry.Have, entry.FragmentSize, entry.Count) = (header->Token, header->Sequence, 0, size, header->FragmentCount);
    }

    private void Free(int index)
    {
        _entries[index].Next = _free;
        _free = index;
    }
}
