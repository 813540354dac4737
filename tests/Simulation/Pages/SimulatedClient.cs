using System.Runtime.InteropServices;
using Rum.Core;
using Rum.FastPath.Client;

namespace Rum.Simulation.Pages;

/// <summary>
/// A page client, its random operations, and the memory that says what is right. Every image of a page is numbered; a read may see any
/// number from the last one acknowledged when it was asked for to the last one sent when it was answered.
/// </summary>
internal sealed unsafe class SimulatedClient : IDisposable
{
    /// <summary>Pages that it uses.</summary>
    public const int Pages = 24;

    private const int Buffers = 96, Words = Layout.PageSize / sizeof(ulong);
    private const ulong Zero = 0;

    // Few pages, in two extents, so that they meet in shards on different silos.
    public static long PageAt(int index) => index < Pages / 2 ? index : Layout.PagesPerExtent + index;

    private sealed class PageModel
    {
        public readonly List<ulong> Images = [Zero];   // by number; what the page holds
        public int Acknowledged;
        public PageVersion Version;                    // of the acknowledged one
        public bool Changing;
        public nint Image;
    }

    private sealed record Read(int First, int Count, int[] NotBefore)
    {
        public ulong Seen;
    }

    private readonly PageClient _client;
    private readonly Random _random;
    private readonly PageModel[] _pages;
    private readonly byte* _memory;
    private readonly Dictionary<ulong, Read> _reads = [];
    private readonly Dictionary<ulong, (int First, int Count)> _changes = [];
    private readonly PageCompletion[] _completions = new PageCompletion[16];
    private readonly SegmentHandle _handle;
    private ulong _cookie, _stamp;
    private int _finalReads;

    public SimulatedClient(PageClient client, SegmentId segment, Random random)
        : this(client, new SegmentHandle(segment, 10 + segment.Value, new ShardId((ushort)random.Next(8)), SegmentFlags.None), random)
    {
    }

    public SimulatedClient(PageClient client, SegmentHandle handle, Random random)
    {
        _client = client;
        _random = random;
        _handle = handle;
        _stamp = (handle.Segment.Value << 40) + (handle.Token << 24);
        _memory = (byte*)NativeMemory.AlignedAlloc((Pages + Buffers) * Layout.PageSize, Layout.PageSize);
        _pages = [.. Enumerable.Range(0, Pages).Select(i => new PageModel { Image = (nint)(_memory + (i * Layout.PageSize)) })];
        for (int i = 0; i < Buffers; i++) client.Lend(_memory + ((Pages + i) * Layout.PageSize));
    }

    public int Operations { get; set; }

    /// <summary>It has the segment from a former writer, and waits until it has taken it over.</summary>
    public bool Waits { get; set; }

    /// <summary>Another has the segment since, or is about to: its requests may be refused, and then it ends.</summary>
    public bool Former { get; set; }

    /// <summary>What was written before it is its own from now on.</summary>
    public Action<PageStatus>? TakenOver { get; init; }

    /// <summary>A page of it was acknowledged at a version, with this first word.</summary>
    public Action<int, PageVersion, ulong>? Acknowledges { get; set; }

    public PageClient Client => _client;

    public SegmentHandle Handle => _handle;

    /// <summary>Whether no change is under way.</summary>
    public bool Quiet => _changes.Count == 0;

    /// <summary>Every page, the newest version that was acknowledged, and the first word of its image.</summary>
    public IEnumerable<(long Page, PageVersion Version, ulong Stamp)> Acknowledged()
    {
        for (int i = 0; i < Pages; i++)
            if (_pages[i].Version.Token != 0) yield return (PageAt(i), _pages[i].Version, _pages[i].Images[_pages[i].Acknowledged]);
    }

    /// <summary>The place of an image among those that it gave the page; -1: none.</summary>
    public int PlaceOf(int index, ulong stamp) => _pages[index].Images.LastIndexOf(stamp);

    /// <summary>The place of the newest image that was acknowledged.</summary>
    public int PlaceAcknowledged(int index) => _pages[index].Acknowledged;

    /// <summary>Whether the page was changed by this writer, acknowledged or not.</summary>
    public bool Changed(int index) => _pages[index].Images.Count > 1;

    /// <summary>Takes what there is at a page for its own.</summary>
    public void Inherit(int index, PageVersion version, ulong stamp)
    {
        _pages[index].Images[0] = stamp;
        _pages[index].Version = version;
    }

    public bool Done => !Waits && Operations == 0 && _finalReads == Pages && _reads.Count == 0 && _changes.Count == 0;

    public long NextDeadlineNs => !Waits && Operations > 0 && _client.Outstanding < 12 ? 0 : _client.NextDeadlineNs;

    public void Step(long nowNs)
    {
        int count = _client.Poll(nowNs, _completions);
        for (int i = 0; i < count; i++) End(_completions[i]);
        if (Waits) return;
        if (Operations > 0)
        {
            for (int i = _random.Next(4); i > 0 && Operations > 0 && _client.Outstanding < 12; i--, Operations--) Begin();
        }
        else
        {
            while (_changes.Count == 0 && _finalReads < Pages && BeginRead(_finalReads, 1)) _finalReads++;
        }
        _client.Submit();
    }

    public override string ToString() =>
        $"{Operations} operations to begin, {_reads.Count} reads and {_changes.Count} changes outstanding, {_client.Counters.Resends} resends";

    public void Dispose()
    {
        _client.Dispose();
        NativeMemory.AlignedFree(_memory);
    }

    private void Begin()
    {
        int page = _random.Next(Pages);
        int most = (page < Pages / 2 ? Pages / 2 : Pages) - page, some = 1 + _random.Next(Math.Min(most, 6));
        switch (_random.Next(10))
        {
            case < 5:
                BeginRead(page, some);
                break;
            case < 9:
                BeginWrite(page, zero: _random.Next(6) == 0);
                break;
            default:
                BeginTrim(page, some);
                break;
        }
    }

    private bool BeginRead(int page, int count)
    {
        if (!_client.TryRead(_handle, PageAt(page), count, ++_cookie)) return false;
        _reads.Add(_cookie, new Read(page, count, [.. Enumerable.Range(page, count).Select(p => _pages[p].Acknowledged)]));
        return true;
    }

    private void BeginWrite(int index, bool zero)
    {
        PageModel page = _pages[index];
        if (page.Changing) return;
        ulong stamp = zero ? Zero : ++_stamp;
        Fill((ulong*)page.Image, stamp);
        if (!_client.TryWrite(_handle, PageAt(index), zero ? null : (byte*)page.Image, ++_cookie)) return;
        Changing(index, 1, stamp);
    }

    private void BeginTrim(int index, int count)
    {
        for (int i = 0; i < count; i++)
            if (_pages[index + i].Changing) return;
        if (_client.TryTrim(_handle, PageAt(index), count, ++_cookie)) Changing(index, count, Zero);
    }

    private void Changing(int first, int count, ulong stamp)
    {
        _changes.Add(_cookie, (first, count));
        for (int i = first; i < first + count; i++)
        {
            _pages[i].Changing = true;
            _pages[i].Images.Add(stamp);
        }
    }

    private void End(in PageCompletion end)
    {
        if (end.Operation == PageOperation.TakeOver)
        {
            TakenOver!(end.Status);
            return;
        }
        if (end.Operation == PageOperation.Read)
        {
            EndRead(end);
            if (end.Lent) _client.Lend(end.Image);
            return;
        }
        if (Former && end.Status == PageStatus.Fenced)
        {
            Operations = 0;
            _changes.Remove(end.Cookie);
            return;
        }
        if (end.Status != PageStatus.Ok) throw new SimulationException($"{end.Operation} of page {end.Page} ended as {end.Status}");
        if (!_changes.Remove(end.Cookie, out (int First, int Count) change)) throw new SimulationException($"{end.Operation} ended twice");
        for (int i = change.First; i < change.First + change.Count; i++)
        {
            _pages[i].Changing = false;
            _pages[i].Acknowledged = _pages[i].Images.Count - 1;
            _pages[i].Version = end.Version;
            Acknowledges?.Invoke(i, end.Version, _pages[i].Images[^1]);
        }
    }

    private void EndRead(in PageCompletion end)
    {
        if (!_reads.TryGetValue(end.Cookie, out Read? read)) throw new SimulationException("a read ended twice");
        int place = (int)(end.Page - PageAt(read.First));
        if (place < 0 || place >= read.Count || (read.Seen & (1UL << place)) != 0) throw new SimulationException($"page {end.Page} came twice or unasked");
        read.Seen |= 1UL << place;
        if (Former)
        {
            // Its successor's pages are none of its business.
            if (read.Seen == ulong.MaxValue >> (64 - read.Count)) _reads.Remove(end.Cookie);
            return;
        }
        if (end.Status is not (PageStatus.Ok or PageStatus.Zero)) throw new SimulationException($"read of page {end.Page} ended as {end.Status}");
        ulong stamp = end.Image == null ? Zero : StampOf((ulong*)end.Image, end.Page);
        PageModel page = _pages[read.First + place];
        if (page.Images.LastIndexOf(stamp) < read.NotBefore[place])
            throw new SimulationException($"page {end.Page} shows image {stamp:x}, older than what was acknowledged before the read");
        if (read.Seen == ulong.MaxValue >> (64 - read.Count)) _reads.Remove(end.Cookie);
    }

    private static void Fill(ulong* image, ulong stamp)
    {
        for (ulong i = 0; i < Words; i++) image[i] = stamp == Zero ? 0 : stamp ^ (i * 0x9E3779B97F4A7C15);
    }

    public static ulong StampOf(ulong* image, long page)
    {
        ulong stamp = image[0];
        for (ulong i = 0; i < Words; i++)
            if (image[i] != (stamp == Zero ? 0 : stamp ^ (i * 0x9E3779B97F4A7C15))) throw new SimulationException($"page {page} is torn at word {i}");
        return stamp;
    }
}
