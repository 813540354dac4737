using Rum.Core;
using Rum.FastPath.Drivers;
using Rum.FastPath.Frames;

namespace Rum.FastPath.Server;

/// <summary>
/// The replica: answers page requests from a <see cref="PagePool"/> over any number of drivers. One thread owns it and drives it by
/// <see cref="Poll"/> (see <see cref="PageServerThread"/>); time is an argument, so a simulator can drive it too. Other threads reach it through
/// the members of the mailbox: <see cref="SetViewAsync"/>, <see cref="RunAsync"/>, the drops, <see cref="Answer"/>. It keeps nothing about a request but
/// fragments of unfinished writes; reads and writes are idempotent by page version. Every frame is taken for hostile.
/// </summary>
public sealed unsafe partial class PageServer : IDisposable
{
    private const int SkippedPollsMax = 7;
    private const long CheapTrafficNs = 50_000;

    private readonly PagePool _pool;
    private readonly ServerPort[] _ports;
    private readonly IControlSink? _sink;
    private readonly PageServerOptions _options;
    private ServerView? _view;
    private ulong _packetNumber;
    private long _servedFrames;
    private long _nowNs, _cheapTrafficNs = long.MinValue / 2;
    private PageServerCounters _counters;

    /// <summary>A server that isn't ready until it has its first view. Takes over the pool and the drivers.</summary>
    public PageServer(
        Incarnation incarnation, PagePool pool, IReadOnlyList<IDriver> drivers, IControlSink? controlSink = null, PageServerOptions? options = null)
    {
        Invariant.Check(incarnation.Value != 0);
        Incarnation = incarnation;
        _pool = pool;
        _pool.Window?.Serve(incarnation);
        _sink = controlSink;
        _options = options ?? new PageServerOptions();
        _ports = new ServerPort[drivers.Count];
        for (int i = 0; i < _ports.Length; i++) _ports[i] = new ServerPort(drivers[i], i);
        CreateMailbox();
        _writes = new WriteAssemblies(_pool, _options.AssemblyAgeNsMax);
        _controls = new ControlAssemblies();
        _credits = new CreditShare(_options);
        _learner = new Learner(this, _pool, _ports[0], _options);
    }

    /// <summary>This life of the silo.</summary>
    public Incarnation Incarnation { get; }

    /// <summary>The decree of the view in force, 0 before the first. Any thread.</summary>
    public ulong ViewDecree => Volatile.Read(ref _view)?.Decree ?? 0;

    /// <summary>Frames about pages that were handled: what the owner of the thread takes for traffic. Owner's thread.</summary>
    internal long PageFrames { get; private set; }

    /// <summary>Counters. Any thread.</summary>
    public ref readonly PageServerCounters Counters => ref _counters;

    /// <summary>How long polls took that answered page requests: from looking for a burst of frames until their answers were with the driver. Any thread.</summary>
    public TimeHistogram ServiceTimes { get; } = new();

    /// <summary>What the pool holds. Any thread; the fields may be a moment apart.</summary>
    public PagePoolStatistics PoolStatistics => _pool.Statistics;

    /// <summary>
    /// One step: carries out what is in the mailbox, handles a burst from each driver, sends the answers. Returns how much there was; 0 means
    /// that there was nothing to do. <paramref name="nowNs"/> is a monotonic clock in nanoseconds.
    /// </summary>
    public int Poll(long nowNs)
    {
        // The poll before this one ended just now if it had something to do: nobody waits then. No clock is read for it.
        if (_servedFrames != PageFrames) ServiceTimes.Add(nowNs - _nowNs);
        _servedFrames = PageFrames;
        _nowNs = nowNs;
        int done = RunMailbox();
        _pool.HoldFrames = true;
        bool allSent = true;
        foreach (ServerPort port in _ports)
        {
            if (port.Traits.SendCostsSystemCall && Skips(port)) continue;
            int here = PollPort(port);
            done += here;
            allSent &= port.TxEmpty;
            if (!port.Traits.SendCostsSystemCall && here > 0) _cheapTrafficNs = nowNs;
            port.SkippedPolls = here > 0 ? SkippedPollsMax : 0;
        }
        if (allSent)
        {
            _pool.HoldFrames = false;
            if (_pool.DoChores()) done++;
            CompleteDrops();
        }
        if (_learner.Active) done += _learner.Poll(nowNs);
        _writes.AgeOut(nowNs, ref _counters.AssembliesDropped);
        if (nowNs >= _signDueNs) GiveSign();
        if (_holding != 0 && nowNs >= _holdUntilNs) LetGo();
        return done;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        DisposeMailbox();
        foreach (ServerPort port in _ports)
        {
            port.Dispose();
            port.Driver.Dispose();
        }
        _writes.Dispose();
        _learner.Dispose();
        _lists.Dispose();
        _pool.Dispose();
    }

    /// <summary>
    /// A look at a socket costs a system call, which a client over shared memory would wait for at every turn: while there is such traffic, a
    /// socket that was empty is left out for a few polls.
    /// </summary>
    private bool Skips(ServerPort port) =>
        port.TxEmpty && _nowNs - _cheapTrafficNs < CheapTrafficNs && port.SkippedPolls++ < SkippedPollsMax;

    private int PollPort(ServerPort port)
    {
        if (!port.Flush() && !GiveUpBlocked(port)) return 0;
        int done = 0;
        if (port.HasPendingRead && !ContinueRead(port)) return 1;
        if (port.RxNext == port.RxCount)
        {
            port.Driver.Release();
            port.RxNext = 0;
            port.Lend(_pool, _nowNs);
            port.RxCount = port.Driver.Receive(port.Rx);
        }
        while (port.RxNext < port.RxCount)
        {
            Handle(port, ref port.Rx[port.RxNext++]);
            done++;
            if (port.HasPendingRead || port.TxFull) break;
        }
        if (port.Flush()) done += SendControl(port);
        return done;
    }

    /// <summary>A driver that takes nothing for long has a peer that reads nothing: its answers are dropped, like any frame can be.</summary>
    private bool GiveUpBlocked(ServerPort port)
    {
        if (port.BlockedSinceNs == 0) port.BlockedSinceNs = _nowNs;
        if (_nowNs - port.BlockedSinceNs < _options.BackPressureNsMax) return false;
        _counters.AnswersDropped += port.DropUnsent();
        return true;
    }

    private void Handle(ServerPort port, ref RxFrame frame)
    {
        FrameFault fault = FrameCodec.Check(frame.Header, frame.Payload, frame.PayloadLength, port.Traits.Checksummed);
        var header = (FrameHeader*)frame.Header;
        bool lesson = header->Type is FrameType.ReadAnswer or FrameType.ListSegmentsAnswer or FrameType.ListExtentsAnswer;
        if (fault == FrameFault.None && header->Type >= FrameType.ReadAnswer && !lesson) fault = FrameFault.Type;
        if (fault != FrameFault.None)
        {
            _counters.Faults[(int)fault]++;
            if (fault == FrameFault.Version && header->Type < FrameType.ReadAnswer) TellVersion(port, frame.Peer);
            return;
        }
        if (lesson)
        {
            _learner.Handle(port, ref frame, header, _nowNs);
            return;
        }
        switch (header->Type)
        {
            case FrameType.Hello:
                _counters.Hellos++;
                Answer(port, frame.Peer, header, PageStatus.Ok, default);
                break;
            case FrameType.Control:
                HandleControl(port, frame, header);
                break;
            case FrameType.Sign:
                HandleSign(header);
                break;
            case FrameType.Cut:
                HandleCut(port, frame, header);
                break;
            default:
                PageFrames++;
                PageStatus status = CheckView(header);
                if (status != PageStatus.Ok) Refuse(port, frame.Peer, header, status, default);
                else HandlePages(port, ref frame, header);
                break;
        }
    }

    /// <summary>
    /// Says to another version which one this is. Nothing of its request is read but that it is one: magic, version and type stand where they stand in
    /// every version.
    /// </summary>
    private void TellVersion(ServerPort port, PeerAddress peer)
    {
        if (port.TxFull && !port.Flush()) return;
        FrameHeader* answer = port.NextHeader;
        FrameCodec.Start(answer, FrameType.HelloAnswer);
        answer->Incarnation = Incarnation.Value;
        answer->PacketNumber = ++_packetNumber;
        answer->Status = (ushort)RumError.Incompatible;
        port.Add(peer, null);
    }

    private const long BehindNs = 20_000_000;
    private long _askedNs;

    private PageStatus CheckView(FrameHeader* header)
    {
        if (header->Incarnation != Incarnation.Value) return PageStatus.StaleIncarnation;
        ServerView? view = _view;
        if (view == null) return PageStatus.NotReady;
        if (header->Generation != view.Generation) return PageStatus.StaleEpoch;
        if (header->Type == FrameType.ListPages || (header->Type == FrameType.Fence && header->Sequence != 0))
        {
            // About a segment, not about a shard: whoever takes it over compares the views.
            if (header->Sequence <= view.Decree) return PageStatus.Ok;
            FetchView();
            return PageStatus.NotReady;
        }
        if (!view.Holds(header->Shard, header->Epoch))
        {
            // Who asks knows of a later decree than this silo does.
            if (header->Epoch > view.Epoch(header->Shard)) FetchView();
            return PageStatus.StaleEpoch;
        }
        if (!view.Learns(header->Shard)) return PageStatus.Ok;
        // A learner acknowledges writes, but only once it knows which tokens are the segments'. It isn't read, nor learned from.
        bool change = header->Type is FrameType.Write or FrameType.Trim or FrameType.Fence;
        return change && (_learner.KnowsTokens(header->Shard) || _pool.ForgetsTokens) ? PageStatus.Ok : PageStatus.NotReady;
    }

    private void FetchView()
    {
        if (_nowNs < _askedNs + BehindNs) return;
        _askedNs = _nowNs;
        _options.ViewIsBehind?.Invoke();
    }

    private void HandlePages(ServerPort port, ref RxFrame frame, FrameHeader* header)
    {
        switch (header->Type)
        {
            case FrameType.Read:
                *port.PendingRead = *header;
                port.PendingPeer = frame.Peer;
                port.PendingPage = port.PendingFragment = 0;
                port.HasPendingRead = true;
                ContinueRead(port);
                break;
            case FrameType.Write:
                HandleWrite(port, ref frame, header);
                break;
            case FrameType.Trim:
                PageStatus trimmed = (header->Flags & FrameFlags.Lost) != 0 && header->Count == Layout.PagesPerExtent
                    ? _pool.Lose(new SegmentId(header->Segment), (long)header->Page, header->PageVersion, header->Shard, out PageVersion now)
                    : _pool.Trim(
                        new SegmentId(header->Segment), (long)header->Page, header->Count, header->PageVersion, out now,
                        header->Shard, _view!.Replicated(header->Shard));
                if (trimmed == PageStatus.Ok)
                {
                    _counters.Trims++;
                    _pool.Confirm(new SegmentId(header->Segment), new PageVersion(header->Token, header->Confirmed));
                }
                Conclude(port, frame.Peer, header, trimmed, now);
                break;
            case FrameType.ListSegments or FrameType.ListExtents:
                HandleList(port, frame, header);
                break;
            case FrameType.ListPages:
                HandleListPages(port, frame, header);
                break;
            case FrameType.Fence:
                HandleFence(port, frame, header);
                break;
        }
    }
}
