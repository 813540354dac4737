namespace Rum.Pager.Paging;

/// <summary>The regions, by number and by address.</summary>
internal sealed class RegionTable
{
    private Region?[] _byIndex = new Region?[16];
    private Region[] _byAddress = [];
    private Region? _last;

    /// <summary>The mapped regions, by address.</summary>
    internal ReadOnlySpan<Region> Open => _byAddress;

    internal Region this[int index] => _byIndex[index]!;

    internal int FreeIndex()
    {
        for (int i = 0; i < _byIndex.Length; i++)
            if (_byIndex[i] is null) return i;
        int first = _byIndex.Length;
        Array.Resize(ref _byIndex, first * 2);
        return first;
    }

    internal void Add(Region region)
    {
        _byIndex[region.Index] = region;
        int at = Search(region.Address) + 1;
        Region[] longer = new Region[_byAddress.Length + 1];
        Array.Copy(_byAddress, longer, at);
        longer[at] = region;
        Array.Copy(_byAddress, at, longer, at + 1, _byAddress.Length - at);
        Volatile.Write(ref _byAddress, longer);
    }

    /// <summary>No longer found by address; its number stays taken until <see cref="Forget"/>.</summary>
    internal void Close(Region region)
    {
        Volatile.Write(ref _byAddress, Array.FindAll(_byAddress, r => r != region));
        if (_last == region) _last = null;
    }

    internal void Forget(Region region) => _byIndex[region.Index] = null;

    /// <summary>The region that an address belongs to, by its accessible part.</summary>
    internal Region? Find(nint address)
    {
        Region? last = _last;
        if (last is not null && address >= last.Address && address - last.Address < last.Pages << Core.Layout.PageShift) return last;
        int at = Search(address);
        if (at < 0) return null;
        Region found = _byAddress[at];
        if (address - found.Address >= found.Pages << Core.Layout.PageShift) return null;
        _last = found;
        return found;
    }

    /// <summary>As <see cref="Find"/>, for threads other than the owner's: the array is replaced, never changed. The region may be going.</summary>
    internal Region? FindFromOutside(nint address)
    {
        Region[] regions = Volatile.Read(ref _byAddress);
        int at = Search(regions, address);
        return at >= 0 ? regions[at] : null;
    }

    /// <summary>The region that starts at an address.</summary>
    internal Region? StartingAt(nint address)
    {
        int at = Search(address);
        return at >= 0 && _byAddress[at].Address == address ? _byAddress[at] : null;
    }

    private int Search(nint address) => Search(_byAddress, address);

    private static int Search(Region[] regions, nint address)
    {
        int low = 0, high = regions.Length;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (regions[middle].Address <= address) low = middle + 1;
            else high = middle;
        }

        return low - 1;
    }
}
