namespace Rum.Pager.Linux;

/// <summary>
/// Address ranges of closed regions stay reserved until 16 TiB of later closings, so that a stale pointer meets a fault, not somebody
/// else's memory. Neighbours are joined, so many small closings cost little; not without end, for what is joined goes back together.
/// </summary>
internal sealed class ClosedRanges
{
    private const long KeptBytes = 1L << 44;
    private const long JoinedBytesMax = KeptBytes / 16;

    private readonly Queue<(nint Address, long Bytes)> _ranges = new();
    private (nint Address, long Bytes) _newest;
    private long _bytes;

    internal void Add(nint address, long bytes)
    {
        _bytes += bytes;
        bool joins = _newest.Bytes > 0 && _newest.Bytes + bytes <= JoinedBytesMax;
        if (joins && address + (nint)bytes == _newest.Address)
        {
            _newest = (address, bytes + _newest.Bytes);
        }
        else if (joins && _newest.Address + (nint)_newest.Bytes == address)
        {
            _newest.Bytes += bytes;
        }
        else
        {
            if (_newest.Bytes > 0) _ranges.Enqueue(_newest);
            _newest = (address, bytes);
        }

        while (_ranges.TryPeek(out (nint Address, long Bytes) oldest) && _bytes - oldest.Bytes >= KeptBytes)
        {
            _ranges.Dequeue();
            _bytes -= oldest.Bytes;
            PagerNative.Munmap(oldest.Address, (nuint)oldest.Bytes);
        }
    }
}
