using System.Net;
using Rum.Core;
using Rum.Core.Council;
using Rum.FastPath.Drivers.Udp;
using Rum.FastPath.Linux;
using Rum.FastPath.Memory;

namespace Rum.FastPath.Client;

/// <summary>Writes pages of segments that the caller has open for writing, many at once, over UDP: what a restore needs of a client. One thread, which it blocks.</summary>
public sealed unsafe class PageFiller : IDisposable
{
    private const int Slots = 256;

    private readonly PageClient _client;
    private readonly NativeRegion _images = new((long)Slots * Layout.PageSize);
    private readonly NativeRegion _landing;
    private readonly Stack<int> _free = new(Enumerable.Range(0, Slots));
    private readonly PageCompletion[] _completions = new PageCompletion[64];
    private readonly Func<ulong, ClusterView?> _newView;
    private ulong _viewDecree;
    private bool _stale;

    /// <summary>A filler for a session.</summary>
    /// <param name="view">The view to begin with.</param>
    /// <param name="session">The session that has the segments open.</param>
    /// <param name="newView">Fetches a view that is newer than a decree, null for none; it may block.</param>
    public PageFiller(ClusterView view, SessionId session, Func<ulong, ClusterView?> newView)
    {
        _newView = newView;
        _client = new PageClient(new PageClientOptions { ViewIsStale = () => _stale = true, Requests = Slots }) { Session = session };
        SetView(view);
        _client.Poll(MonotonicClock.NowNs, _completions);
        int landing = _client.LandingBuffers;
        _landing = new NativeRegion(Math.Max(1, landing) * (long)Layout.PageSize);
        for (int i = 0; i < landing; i++) _client.Lend(_landing.Start + ((long)i * Layout.PageSize));
    }

    /// <summary>How the first request that failed did, Ok for none. Nothing after it counts.</summary>
    public PageStatus Failure { get; private set; }

    /// <summary>Writes a page; returns when it is on its way. The image is copied.</summary>
    public void Write(in SegmentHandle segment, long page, ReadOnlySpan<byte> image)
    {
        int slot = Take();
        byte* to = _images.Start + ((long)slot * Layout.PageSize);
        image.CopyTo(new Span<byte>(to, Layout.PageSize));
        Invariant.Check(_client.TryWrite(segment, page, to, (ulong)slot));
    }

    /// <summary>Says that an extent is lost.</summary>
    public void Lose(in SegmentHandle segment, long extent)
    {
        int slot = Take();
        Invariant.Check(_client.TryLose(segment, extent, (ulong)slot));
    }

    /// <summary>Returns when everything is acknowledged by all replicas, or has failed; false: not in time.</summary>
    public bool Flush(TimeSpan patience)
    {
        long end = MonotonicClock.NowNs + (long)patience.TotalNanoseconds;
        _client.Submit();
        while (_free.Count < Slots)
        {
            if (MonotonicClock.NowNs >= end) return false;
            Poll();
        }
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _client.Dispose();
        _images.Dispose();
        _landing.Dispose();
    }

    private int Take()
    {
        if (_free.Count == 0) _client.Submit();
        while (_free.Count == 0) Poll();
        return _free.Pop();
    }

    private void Poll()
    {
        long now = MonotonicClock.NowNs;
        int count = _client.Poll(now, _completions);
        for (int i = 0; i < count; i++)
        {
            if (_completions[i].Status is not PageStatus.Ok && Failure == PageStatus.Ok) Failure = _completions[i].Status;
            _free.Push((int)_completions[i].Cookie);
        }
        if (_stale)
        {
            _stale = false;
            if (_newView(_viewDecree) is { } view) SetView(view);
        }
        if (count > 0) return;
        Span<int> descriptors = stackalloc int[4];
        int watched = _client.WaitDescriptors(descriptors);
        if (_client.PrepareWait()) Polling.WaitReadable(descriptors[..watched], Math.Clamp(_client.NextDeadlineNs - now, 100_000, 5_000_000));
        _client.FinishWait();
    }

    private void SetView(ClusterView view)
    {
        var ways = new List<(Incarnation Life, IPEndPoint Endpoint)>();
        foreach (Member member in view.Members)
            if (member.State != MemberState.Left && IPEndPoint.TryParse(member.Endpoint, out IPEndPoint? endpoint)) ways.Add((member.Incarnation, endpoint));
        UdpDriver driver = UdpDriver.Toward([.. ways.Select(static way => way.Endpoint)]);
        _client.SetRoutes(new ClientRoutes(new ShardMap(view), [.. ways.Select(way => new SiloRoute(way.Life, driver, UdpPeer.From(way.Endpoint)))]));
        _viewDecree = view.Decree;
    }
}
