using Rum.Core;

namespace Rum.Pager.Session;

/// <summary>The segments mapped besides the anonymous one: named and pinned ones, each a region of its own. Any thread.</summary>
internal sealed class MappedSegments
{
    private readonly Lock _lock = new();
    private readonly SortedList<nint, MappedSegment> _byAddress = [];

    /// <summary>The segment that is mapped at exactly this address; null for none.</summary>
    public MappedSegment? At(nint address)
    {
        lock (_lock) return _byAddress.GetValueOrDefault(address);
    }

    /// <summary>The segment that is mapped under a key; null for none.</summary>
    public MappedSegment? WithKey(UInt128 key)
    {
        lock (_lock)
        {
            foreach (MappedSegment segment in _byAddress.Values)
            {
                if (segment.Key == key && key != UInt128.Zero) return segment;
            }
            return null;
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

    /// <summary>Takes a segment out; false when another thread was first.</summary>
    public bool Remove(MappedSegment segment)
    {
        lock (_lock) return _byAddress.Remove(segment.Address);
    }

    /// <summary>All of them, as of now.</summary>
    public MappedSegment[] All()
    {
        lock (_lock) return [.. _byAddress.Values];
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
}
