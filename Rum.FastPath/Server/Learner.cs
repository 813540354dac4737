using System.Numerics;
using Rum.Core;
using Rum.FastPath.Client;
using Rum.FastPath.Drivers;
using Rum.FastPath.Frames;

namespace Rum.FastPath.Server;

/// <summary>
/// Copies shards from their leads while clients go on writing to both. First, of each lead, the write tokens of its segments: before that
/// this silo takes no write there, or an old writer whom the lead would refuse could still write here. Then, shard by shard, the extents, and
/// their pages where the lead has newer ones. The lead keeps nothing about it; whatever is lost is asked for again. A new epoch begins the shard anew, for what was
/// acknowledged in the old one may be at another lead only. Lives on the page server's thread; allocates only when views change.
/// </summary>
internal sealed unsafe partial class Learner : IDisposable
{
    private const int Requests = 4, PagesPerRequest = 32;
    private const long PatienceNs = 20_000_000, PatienceNsMax = 1_000_000_000, RefusedNs = 10_000_000;

    private enum Asked : byte
    {
        Nothing,
        Tokens,
        Extents,
        Pages,
    }

    private struct Request
    {
        public Asked What;
        public ulong Segment, Page;    // of the first page, or the cursor
        public ulong Pending;          // a bit per page that has not come
        public long DueNs;
        public uint Counter;
        public int Tries, FirstAssembly;
        public ushort Count;
    }

    private sealed class Course(Lesson lesson, ulong decree)
    {
        public Lesson Lesson => lesson;

        /// <summary>The decree of the view in which it was first seen at this epoch: tokens must be as new.</summary>
        public ulong Since => decree;

        public bool KnowsTokens, Done;
    }

    private readonly PageServer _server;
    private readonly PagePool _pool;
    private readonly ServerPort _port;
    private readonly PageServerOptions _options;
    private readonly Request[] _requests = new Request[Requests];
    private readonly PageAssemblies _assemblies = new(Requests * PagesPerRequest);
    private readonly CopyEntry[] _extents = new CopyEntry[Layout.PageSize / CopyEntry.Size];
    private readonly List<(SegmentId Segment, long First, long End)> _dropped = [];
    private PageClientCounters _counters;
    private ServerView? _view;
    private Course[] _courses = [];
    private (ShardId, uint)[] _learned = [];
    private Course? _course;               // whose pages are being copied
    private int _extentCount, _extentNext;
    private int _pageNext;
    private ulong _cursor;
    private bool _allListed;
    private long _tokensNs, _allowance, _pagesLearned;

    public Learner(PageServer server, PagePool pool, ServerPort port, PageServerOptions options)
    {
        (_server, _pool, _port, _options) = (server, pool, port, options);
        for (int i = 0; i < Requests; i++) _requests[i].FirstAssembly = -1;
    }

    /// <summary>Whether there is something to learn still.</summary>
    public bool Active { get; private set; }

    /// <summary>Shards learned under the view in force. Any thread.</summary>
    public IReadOnlyList<(ShardId Shard, uint Epoch)> Learned => Volatile.Read(ref _learned);

    /// <summary>Pages copied since the start. Any thread.</summary>
    public long PagesLearned => Volatile.Read(ref _pagesLearned);

    /// <summary>Takes up the lessons of a new view; those that stand in the same epoch as before go on.</summary>
    public void Begin(ServerView view)
    {
        _view = view;
        var courses = new Course[view.Lessons.Length];
        for (int i = 0; i < courses.Length; i++)
            courses[i] = Array.Find(_courses, course => course.Lesson == view.Lessons[i]) ?? new Course(view.Lessons[i], view.Decree);
        _courses = courses;
        if (_course is not null && !courses.Contains(_course)) Abandon();
        if (courses.Length == 0) _dropped.Clear();
        Publish();
    }

    /// <summary>Whether the tokens of a shard's lead are known here.</summary>
    public bool KnowsTokens(ushort shard)
    {
        foreach (Course course in _courses)
            if (course.Lesson.Shard.Value == shard) return course.KnowsTokens;
        return false;
    }

    /// <summary>Pages that the council had dropped: what a lead that hasn't yet may still send of them isn't taken.</summary>
    public void Dropped(SegmentId segment, long first, long count)
    {
        if (Active) _dropped.Add((segment, first, first + count));
    }

    /// <summary>Asks for what is due. Returns how much there was to do.</summary>
    public int Poll(long nowNs)
    {
        int done = 0;
        _assemblies.TakeBack();
        for (int i = 0; i < Requests; i++)
        {
            if (_requests[i].What == Asked.Nothing || nowNs < _requests[i].DueNs) continue;
            Send(i, nowNs);
            done++;
        }
        Allow(nowNs);
        for (int i = 0; i < Requests; i++)
        {
            if (_requests[i].What != Asked.Nothing || !Next(ref _requests[i])) continue;
            Send(i, nowNs);
            done++;
        }
        return done;
    }

    public void Dispose() => _assemblies.Dispose();

    /// <summary>What to ask next; false: nothing for now.</summary>
    private bool Next(ref Request request)
    {
        if (_course is { KnowsTokens: true }) return NextOfCourse(ref request);
        foreach (ref Request other in _requests.AsSpan())
            if (other.What != Asked.Nothing) return false;
        // Tokens of all leads before pages of any: writes wait for them.
        _course = Array.Find(_courses, static course => !course.KnowsTokens) ?? Array.Find(_courses, static course => !course.Done);
        if (_course is null) return false;
        if (_course.KnowsTokens)
        {
            (_cursor, _allListed, _extentCount, _extentNext, _pageNext) = (0, false, 0, 0, 0);
            return NextOfCourse(ref request);
        }
        request.What = Asked.Tokens;
        request.Page = 0;
        return true;
    }

    private bool NextOfCourse(ref Request request)
    {
        while (_extentNext < _extentCount)
        {
            if (_allowance < PagesPerRequest) return false;
            ref CopyEntry extent = ref _extents[_extentNext];
            request.What = Asked.Pages;
            request.Segment = extent.Segment;
            request.Page = ((ulong)extent.Extent * Layout.PagesPerExtent) + (ulong)_pageNext;
            request.Count = PagesPerRequest;
            request.Pending = ulong.MaxValue >> (64 - PagesPerRequest);
            _pageNext += PagesPerRequest;
            if (_pageNext == Layout.PagesPerExtent) (_pageNext, _extentNext) = (0, _extentNext + 1);
            return true;
        }
        foreach (ref Request other in _requests.AsSpan())
            if (other.What != Asked.Nothing) return false;
        if (!_allListed)
        {
            request.What = Asked.Extents;
            request.Page = _cursor;
            return true;
        }
        _course!.Done = true;
        _course = null;
        Publish();
        _options.ShardLearned?.Invoke();
        return false;
    }

    private void Send(int index, long nowNs)
    {
        ref Request request = ref _requests[index];
        if (request.Tries == 0) request.Counter++;
        request.DueNs = nowNs + Math.Min(PatienceNs << Math.Min(request.Tries, 8), PatienceNsMax);
        request.Tries++;
        if (_port.TxFull && !_port.Flush()) return;
        if (request.What != Asked.Pages)
        {
            FrameHeader* list = Start(index, request.What == Asked.Tokens ? FrameType.ListSegments : FrameType.ListExtents);
            list->Page = request.Page;
            list->Confirmed = _course!.Since;
            _port.Add(_course.Lesson.Peer, null);
            return;
        }
        // One frame for each run of pages that miss: at first that is one for all.
        for (ulong left = request.Pending; left != 0;)
        {
            if (_port.TxFull && !_port.Flush()) return;
            int first = BitOperations.TrailingZeroCount(left), run = BitOperations.TrailingZeroCount(~(left >> first));
            FrameHeader* read = Start(index, FrameType.Read);
            read->Flags = FrameFlags.Copy;
            read->Segment = request.Segment;
            read->Page = request.Page + (ulong)first;
            read->Count = (ushort)run;
            _port.Add(_course!.Lesson.Peer, null);
            _allowance -= run;
            left &= ~(((1UL << run) - 1) << first);
        }
    }

    private FrameHeader* Start(int index, FrameType type)
    {
        FrameHeader* header = _port.NextHeader;
        FrameCodec.Start(header, type);
        header->Generation = _view!.Generation;
        header->Epoch = _course!.Lesson.Epoch;
        header->Incarnation = _course.Lesson.Lead.Value;
        header->Session = _server.Incarnation.Value;
        header->Slot = (uint)index;
        header->Counter = _requests[index].Counter;
        header->Shard = _course.Lesson.Shard.Value;
        return header;
    }

    private void Allow(long nowNs)
    {
        long passedNs = Math.Min(nowNs - _tokensNs, 4_000_000);
        if (passedNs < 100_000) return;
        _tokensNs = nowNs;
        _allowance = Math.Min(_allowance + Math.Max(1, passedNs * _options.LearnedPagesPerMs / 1_000_000), Math.Max(4 * _options.LearnedPagesPerMs, PagesPerRequest));
    }

    private void End(ref Request request)
    {
        _assemblies.RemoveAll(ref request.FirstAssembly);
        request.What = Asked.Nothing;
        request.Tries = 0;
        request.DueNs = 0;
        // What still comes of it belongs to nobody.
        request.Counter++;
    }

    private void Abandon()
    {
        for (int i = 0; i < Requests; i++) End(ref _requests[i]);
        _course = null;
    }

    private void Publish()
    {
        Volatile.Write(ref _learned, [.. _courses.Where(static course => course.Done).Select(static course => (course.Lesson.Shard, course.Lesson.Epoch))]);
        Active = Array.Exists(_courses, static course => !course.Done);
    }
}
