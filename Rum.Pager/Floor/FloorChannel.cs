using Rum.Core;
using Rum.FastPath.Client;

namespace Rum.Pager.Floor;

/// <summary>
/// Pages from memory of the same process, with the call semantics of the real channel: the floor under every transport, for tests and for
/// the benchmark. With a delay each request is served at a random moment of it, so requests overtake one another, and a write reads its image
/// late, which a slot reused too early does not survive. Owned by one thread.
/// </summary>
public sealed unsafe class FloorChannel : IPageChannel, IDisposable
{
    private readonly FloorStore _store;
    private readonly Request[] _requests;
    private readonly long _delayNs;
    private readonly Random _random;
    private int _count;
    private int _served;

    /// <summary>A channel to <paramref name="store"/>; requests take up to <paramref name="delayNs"/>.</summary>
    public FloorChannel(FloorStore store, int capacity = 256, long delayNs = 0, int seed = 1)
    {
        _store = store;
        _requests = new Request[capacity];
        _delayNs = delayNs;
        _random = new Random(seed);
    }

    private struct Request
    {
        internal SegmentHandle Segment;
        internal long Page;
        internal ulong Cookie;
        internal byte* Image;
        internal long DueNs;
        internal int Count;
        internal PageOperation Operation;
    }

    /// <summary>What every request is answered with instead of being served, while not Ok; any thread may set it.</summary>
    public PageStatus Refuse { get; set; }

    /// <summary>Holds all requests back while true; any thread may set it.</summary>
    public bool Stalled { get; set; }

    /// <inheritdoc/>
    public int Capacity => _requests.Length;

    /// <inheritdoc/>
    public int Outstanding => _count - _served;

    /// <inheritdoc/>
    public int LandingBuffers => 0;

    /// <inheritdoc/>
    public bool NeedsTimers => false;

    /// <inheritdoc/>
    public long NextDeadlineNs { get; private set; } = long.MaxValue;

    /// <inheritdoc/>
    public bool TryRead(in SegmentHandle segment, long page, int count, ulong cookie)
    {
        if (Outstanding + count > Capacity) return false;
        for (int i = 0; i < count; i++)
            Add(new Request { Segment = segment, Page = page + i, Cookie = cookie, Operation = PageOperation.Read, Count = 1 });
        return true;
    }

    /// <inheritdoc/>
    public bool TryWrite(in SegmentHandle segment, long page, byte* image, ulong cookie)
    {
        if (Outstanding == Capacity) return false;
        Add(new Request { Segment = segment, Page = page, Cookie = cookie, Operation = PageOperation.Write, Image = image, Count = 1 });
        return true;
    }

    /// <inheritdoc/>
    public bool TryTrim(in SegmentHandle segment, long page, int count, ulong cookie)
    {
        if (Outstanding == Capacity) return false;
        Add(new Request { Segment = segment, Page = page, Cookie = cookie, Operation = PageOperation.Trim, Count = count });
        return true;
    }

    /// <inheritdoc/>
    public void Submit()
    {
    }

    /// <inheritdoc/>
    public int Poll(long nowNs, Span<PageCompletion> completions)
    {
        NextDeadlineNs = long.MaxValue;
        int n = 0;
        if (_delayNs == 0 && !Stalled)
        {
            while (_served < _count && n < completions.Length) Serve(ref _requests[_served++], ref completions[n++]);
            if (_served == _count) _served = _count = 0;
            return n;
        }

        Compact();
        for (int i = 0; i < _count && n < completions.Length;)
        {
            ref Request r = ref _requests[i];
            if (r.DueNs == 0) r.DueNs = nowNs + _random.NextInt64(_delayNs + 1);
            if (r.DueNs > nowNs || Stalled)
            {
                NextDeadlineNs = Math.Min(NextDeadlineNs, Stalled ? nowNs + 1_000_000 : r.DueNs);
                i++;
                continue;
            }

            Serve(ref r, ref completions[n++]);
            r = _requests[--_count];
        }

        return n;
    }

    /// <inheritdoc/>
    public void Lend(byte* buffer) => throw new NotSupportedException("The floor lends nothing.");

    /// <inheritdoc/>
    public int WaitDescriptors(Span<int> descriptors) => 0;

    /// <inheritdoc/>
    public bool PrepareWait() => _delayNs > 0 || Stalled;

    /// <inheritdoc/>
    public void FinishWait()
    {
    }

    /// <inheritdoc/>
    public void Dispose() => _store.Dispose();

    private void Add(in Request request)
    {
        if (_count == _requests.Length) Compact();
        _requests[_count++] = request;
        if (_delayNs > 0) NextDeadlineNs = 0;
    }

    private void Compact()
    {
        Array.Copy(_requests, _served, _requests, 0, _count - _served);
        _count -= _served;
        _served = 0;
    }

    private void Serve(ref Request r, ref PageCompletion c)
    {
        c = new PageCompletion { Cookie = r.Cookie, Page = r.Page, Operation = r.Operation, Status = Refuse };
        if (Refuse != PageStatus.Ok) return;
        switch (r.Operation)
        {
            case PageOperation.Read:
                c.Image = _store.Read(r.Segment.Segment, r.Page);
                c.Status = c.Image is null ? PageStatus.Zero : PageStatus.Ok;
                break;
            case PageOperation.Write:
                _store.Write(r.Segment.Segment, r.Page, r.Image);
                break;
            default:
                for (int i = 0; i < r.Count; i++) _store.Write(r.Segment.Segment, r.Page + i, null);
                break;
        }
    }
}
