using Rum.Core;

namespace Rum.Pager.Session;

/// <summary>
/// The segments mapped besides the anonymous one: named and pinned ones, each a region of its own. Any thread. Who opens a key or changes a segment
/// has it for itself until it is done; others who want the same wait, so that nobody opens what another is closing.
/// </summary>
internal sealed class MappedSegments
{
    private readonly object _lock = new();
    private readonly SortedList<nint, MappedSegment> _byAddress = [];
    private readonly HashSet<UInt128> _opening = [];

    /// <summary>The segment that is mapped at exactly this address; null for none.</summary>
    public MappedSegment? At(nint address)
    {
        lock (_lock) return _byAddress.GetValueOrDefault(address);
    }

    /// <summary>The segment that is mapped under a key; null for none.</summary>
    public MappedSegment? WithKey(UInt128 key)
    {
        lock (_lock) return Find(key);
    }

    /// <summary>
    /// The segment that is mapped under a key, to be opened once more by <paramref name="accept"/>. Null: none; the caller opens it, and nobody else does until
    /// <see cref="EndOpen"/>.
    /// </summary>
    public MappedSegment? BeginOpen(UInt128 key, Action<MappedSegment> accept)
    {
        lock (_lock)
        {
            while (true)
            {
                MappedSegment? mapped = Find(key);
                if (mapped is null ? _opening.Add(key) : !mapped.Taken)
                {
                    if (mapped is not null) accept(mapped);
                    return mapped;
                }
                Monitor.Wait(_lock);
            }
        }
    }

    /// <summary>The opening of a key has ended, one way or the other.</summary>
    public void EndOpen(UInt128 key)
    {
        lock (_lock)
        {
            _opening.Remove(key);
            Monitor.PulseAll(_lock);
        }
    }

    /// <summary>Waits until nobody else changes the segment, and then has it. False: it was closed meanwhile.</summary>
    public bool Take(MappedSegment segment)
    {
        lock (_lock)
        {
            while (segment.Taken) Monitor.Wait(_lock);
            return segment.Taken = _byAddress.GetValueOrDefault(segment.Address) == segment;
        }
    }

    /// <summary>Ends what <see cref="Take"/> began.</summary>
    public void GiveBack(MappedSegment segment)
    {
        lock (_lock)
        {
            segment.Taken = false;
            Monitor.PulseAll(_lock);
        }
    }

    /// <summary>The segment whose bytes hold a range; null for none.</summary>
    public MappedSegment? Holding(nint address, long length)
    {
        lock (_lock)
        {
            foreach (MappedSegment segment in _byAddress.Values)
            {
                if (address >= segment.Address && address - segment.Address + length <= segment.Bytes) return segment;
            }
            return null;
        }
    }

    /// <summary>Enters a segment.</summary>
    public void Add(MappedSegment segment)
    {
        lock (_lock) _byAddress.Add(segment.Address, segment);
    }

    /// <summary>Takes a segment out; whoever has it still has it.</summary>
    public void Remove(MappedSegment segment)
    {
        lock (_lock) _byAddress.Remove(segment.Address);
    }

    /// <summary>All of them, as of now.</summary>
    public MappedSegment[] All()
    {
        lock (_lock) return [.. _byAddress.Values];
    }

    private MappedSegment? Find(UInt128 key)
    {
        foreach (MappedSegment segment in _byAddress.Values)
        {
            if (segment.Key == key && key != UInt128.Zero) return segment;
        }
        return null;
    }
}

/// <summary>A segment mapped as a region of its own.</summary>
internal sealed class MappedSegment
{
    /// <summary>Its first byte here.</summary>
    public required nint Address { get; init; }

    /// <summary>Its number.</summary>
    public required SegmentId Segment { get; init; }

    /// <summary>Its key; zero for an anonymous one.</summary>
    public required UInt128 Key { get; init; }

    /// <summary>Whether this session may write it.</summary>
    public required bool Writable { get; init; }

    /// <summary>Address space reserved for it.</summary>
    public required long ReservedBytes { get; init; }

    /// <summary>Its size.</summary>
    public long Bytes { get; set; }

    /// <summary>How often it was opened here; unmapped at the last close.</summary>
    public int Opens { get; set; } = 1;

    /// <summary>Somebody closes, frees or resizes it.</summary>
    internal bool Taken { get; set; }
}
