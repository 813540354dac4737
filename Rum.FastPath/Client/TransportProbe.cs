using Rum.Core;
using Rum.FastPath.Linux;
using Rum.FastPath.Memory;

namespace Rum.FastPath.Client;

/// <summary>
/// Times a transport without a pager: single pages by random number through a page channel, so many outstanding, polled without ever blocking.
/// For benchmarks. Owned by one thread.
/// </summary>
public sealed unsafe class TransportProbe : IDisposable
{
    private readonly IPageChannel _channel;
    private readonly SegmentHandle _segment;
    private readonly int _pages, _depth;
    private readonly NativeRegion _buffers;
    private readonly PageCompletion[] _completions = new PageCompletion[64];
    private readonly Random _random = new(1);

    /// <summary>A probe over the first <paramref name="pages"/> pages of a segment that is open for writing.</summary>
    public TransportProbe(IPageChannel channel, SegmentHandle segment, int pages, int depth)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(depth, channel.Capacity);
        (_channel, _segment, _pages, _depth) = (channel, segment, pages, depth);
        _buffers = new NativeRegion((long)(1 + channel.LandingBuffers) * Layout.PageSize);
        for (int i = 1; i <= channel.LandingBuffers; i++) channel.Lend((byte*)_buffers.Start + (long)i * Layout.PageSize);
    }

    /// <summary>Writes every page once, so that reads carry a payload.</summary>
    public void Fill()
    {
        var image = (byte*)_buffers.Start;
        new Span<byte>(image, Layout.PageSize).Fill(0x5a);
        for (int page = 0; page < _pages || _channel.Outstanding > 0;)
        {
            while (page < _pages && _channel.TryWrite(_segment, page, image, 0)) page++;
            Step();
        }
    }

    /// <summary>Reads so many pages and returns how long each took, in nanoseconds.</summary>
    public long[] Read(int operations) => Measure(operations, write: false);

    /// <summary>Writes so many pages, each until it is acknowledged, and returns how long each took, in nanoseconds.</summary>
    public long[] Write(int operations) => Measure(operations, write: true);

    /// <summary>Writes so many times a page of each of some segments, all of them at once, and returns how long it took until all were acknowledged, in nanoseconds.</summary>
    public long[] WriteEach(ReadOnlySpan<SegmentHandle> segments, int operations)
    {
        var times = new long[operations];
        for (int done = 0; done < operations; done++)
        {
            long begun = MonotonicClock.NowNs;
            foreach (SegmentHandle segment in segments) Invariant.Check(_channel.TryWrite(segment, done % _pages, (byte*)_buffers.Start, 0));
            for (int left = segments.Length; left > 0;) left -= Step();
            times[done] = MonotonicClock.NowNs - begun;
        }
        return times;
    }

    private long[] Measure(int operations, bool write)
    {
        var times = new long[operations];
        var sent = new long[_depth];
        var idle = new Stack<int>(Enumerable.Range(0, _depth));
        for (int asked = 0, done = 0; done < operations;)
        {
            for (; idle.Count > 0 && asked < operations; asked++)
            {
                int lane = idle.Pop();
                sent[lane] = MonotonicClock.NowNs;
                // Writes by turns: of one page there is one write at a time.
                Invariant.Check(write
                    ? _channel.TryWrite(_segment, asked % _pages, (byte*)_buffers.Start, (ulong)lane)
                    : _channel.TryRead(_segment, _random.Next(_pages), 1, (ulong)lane));
            }
            int ended = Step();
            long now = MonotonicClock.NowNs;
            for (int i = 0; i < ended; i++)
            {
                var lane = (int)_completions[i].Cookie;
                times[done++] = now - sent[lane];
                idle.Push(lane);
            }
        }
        return times;
    }

    /// <summary>Frees the buffers; the channel must have nothing outstanding and not be used again.</summary>
    public void Dispose() => _buffers.Dispose();

    private int Step()
    {
        _channel.Submit();
        int ended = _channel.Poll(MonotonicClock.NowNs, _completions);
        for (int i = 0; i < ended; i++)
        {
            if (_completions[i].Status is not (PageStatus.Ok or PageStatus.Zero)) throw new InvalidOperationException($"A page request ended with {_completions[i].Status}.");
            if (_completions[i].Lent) _channel.Lend(_completions[i].Image);
        }
        return ended;
    }
}
