using System.Security.Cryptography;
using Rum.Core;
using Rum.Core.Council;
using Rum.Core.Snapshots;
using Rum.FastPath.Client;
using Rum.Silo.Control;
using Rum.Silo.Council;

namespace Rum.Silo.Snapshots;

/// <summary>An extent that came back as lost.</summary>
public readonly record struct LostExtent(UInt128 Key, long Extent);

/// <summary>
/// Brings the named segments of a snapshot back: makes them anew, writes their pages from the files, each of which it reads once, and marks as lost what is whole in none. The number of silos may be
/// another one than before. One task.
/// </summary>
public sealed class Restorer(SnapshotSet set, ICouncil council, Action<string> notice)
{
    private const int LeaseMs = 3_600_000;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Dictionary<ulong, SegmentHandle> _handles = [];
    private readonly HashSet<(ulong Segment, uint Extent)> _whole = [];
    private readonly Dictionary<ulong, SnapshotSegment> _segments = set.Header.Segments.ToDictionary(static segment => segment.Id.Value);
    private readonly List<LostExtent> _lost = [];
    private SessionId _session;
    private uint _counter;

    /// <summary>Extents that came back as lost.</summary>
    public IReadOnlyList<LostExtent> Lost => _lost;

    /// <summary>Pages written.</summary>
    public long Pages { get; private set; }

    /// <summary>Bytes of files read so far, and in all.</summary>
    public (long Read, long All) Progress => (set.Files.Sum(static file => file.Position), set.Files.Sum(static file => file.Length));

    /// <summary>Restores. Throws <see cref="CouncilRefusedException"/>, <see cref="CouncilUnreachableException"/> and <see cref="IOException"/>.</summary>
    /// <param name="replace">Whether sessions are ended and segments with the same keys freed.</param>
    /// <param name="stop">Ends it; what was restored so far is freed.</param>
    public async Task RunAsync(bool replace, CancellationToken stop)
    {
        ClusterView view = await ViewAsync(0, stop) ?? throw new IOException("the silos have no view of the cluster yet");
        await CheckKeysAsync(replace, stop);
        await DecideAsync(default, new BeginRestore(replace, view.Restores), stop);
        view = await ViewAsync(0, stop) ?? view;
        UInt128 nonce = System.Buffers.Binary.BinaryPrimitives.ReadUInt128LittleEndian(RandomNumberGenerator.GetBytes(16));
        _session = ((SessionResult)await DecideAsync(default, new OpenSession(nonce, "", "rum snapshot restore", LeaseMs), stop)).Session;
        try
        {
            await MakeSegmentsAsync(view, stop);
            view = await ViewAsync(0, stop) ?? view;
            await Task.Run(() => Fill(view, stop), stop);
        }
        catch
        {
            // Nothing half: what was made is given back, so that it can be tried again.
            foreach (SegmentHandle made in _handles.Values) await council.AskAsync(new CommandRequest(NextId(), new Free(_session, made.Segment, default)), CancellationToken.None);
            await council.AskAsync(new CommandRequest(default, new CloseSession(_session)), CancellationToken.None);
            throw;
        }
        await DecideAsync(default, new CloseSession(_session), stop);
    }

    private async Task CheckKeysAsync(bool replace, CancellationToken stop)
    {
        foreach (SnapshotSegment segment in set.Header.Segments)
        {
            CouncilAnswer answer = await council.AskAsync(new ShowSegment(segment.Key, default), stop);
            if (answer is not SegmentAnswer { Details: { } details }) continue;
            if (!replace)
            {
                throw new CouncilRefusedException(RumError.AlreadyExists, $"the cluster has a segment with key {new SegmentKey(segment.Key)} already; "
                    + "restore into an empty cluster, or say --replace to free such segments first");
            }
            if (details.Info.Writer.Value == 0) await DecideAsync(default, new Free(default, default, segment.Key), stop);
        }
    }

    private async Task MakeSegmentsAsync(ClusterView view, CancellationToken stop)
    {
        int silos = view.Members.Count(static member => member.State == MemberState.Up && member.Capacity > 0);
        foreach (SnapshotSegment segment in set.Header.Segments)
        {
            byte copies = (byte)Math.Clamp((int)segment.Copies, 1, Math.Max(1, Math.Min(silos, SiloSet.Max)));
            string name = $"segment {new SegmentKey(segment.Key)}";
            if (copies < segment.Copies) notice($"{name} had {segment.Copies} copies of each page; {silos} silos offer memory, so it has {copies} now");
            if ((segment.Flags & SegmentFlags.Pinned) != 0) notice($"{name} was pinned to silos; it is spread over all now");
            var allocate = new Allocate(_session, segment.Key, segment.Size, copies, segment.Flags & ~SegmentFlags.Pinned, default);
            var made = (SegmentResult)await MakeAsync(segment, allocate, stop);
            _handles[segment.Id.Value] = new SegmentHandle(made.Segment, made.Token, made.FirstShard, made.Flags);
        }
    }

    // What was freed a moment ago is being dropped by the silos still; and a segment that was open for writing when the sessions ended is freed now.
    private async Task<Result> MakeAsync(SnapshotSegment segment, Allocate allocate, CancellationToken stop)
    {
        long end = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
        while (true)
        {
            CouncilAnswer answer = await council.AskAsync(new CommandRequest(NextId(), allocate), stop);
            if (answer is not CommandAnswer decided) throw new CouncilRefusedException(answer.Error, answer.Message);
            Result result = decided.Result;
            if (result.Error == RumError.None) return result;
            if (result.Error is not (RumError.Pending or RumError.OutOfMemory or RumError.AlreadyExists) || Environment.TickCount64 >= end)
                throw new CouncilRefusedException(result.Error, result.Message);
            if (result.Error == RumError.AlreadyExists) await DecideAsync(default, new Free(default, default, segment.Key), stop);
            // Room that is really missing is waited for no longer than what is being dropped takes.
            if (result.Error == RumError.OutOfMemory) end = Math.Min(end, Environment.TickCount64 + 3000);
            await Task.Delay(50, stop);
        }
    }

    private void Fill(ClusterView view, CancellationToken stop)
    {
        using var filler = new PageFiller(view, _session, decree => ViewAsync(decree, stop).GetAwaiter().GetResult());
        foreach (SnapshotFile file in set.Files)
        {
            Take(file, filler, stop);
            // The next file may have the same pages, and a page may be written once at a time.
            Settle(filler);
        }
        foreach (SnapshotSegment segment in set.Header.Segments)
        {
            for (long extent = 0; extent < Layout.ExtentsFor(segment.Size); extent++)
            {
                if (_whole.Contains((segment.Id.Value, (uint)extent))) continue;
                filler.Lose(_handles[segment.Id.Value], extent);
                _lost.Add(new LostExtent(segment.Key, extent));
            }
        }
        Settle(filler);
    }

    private static void Settle(PageFiller filler)
    {
        if (!filler.Flush(Patience)) throw new IOException($"the silos did not acknowledge the pages within {Patience.TotalSeconds:0} s");
        Check(filler);
    }

    private void Take(SnapshotFile file, PageFiller filler, CancellationToken stop)
    {
        var intact = new Dictionary<(ulong, uint), uint>();
        long beatAt = Environment.TickCount64;
        try
        {
            while (file.Next())
            {
                stop.ThrowIfCancellationRequested();
                SnapshotBlock block = file.Current;
                (ulong, uint) extent = (block.Segment.Value, block.Extent);
                if (!_segments.TryGetValue(block.Segment.Value, out SnapshotSegment segment) || block.Extent >= Layout.ExtentsFor(segment.Size)) continue;
                intact[extent] = intact.GetValueOrDefault(extent) + 1;
                // Another file had it whole.
                if (_whole.Contains(extent)) continue;
                ReadOnlySpan<ushort> pages = file.Pages;
                for (int i = 0; i < pages.Length; i++)
                {
                    long page = ((long)block.Extent * Layout.PagesPerExtent) + pages[i];
                    if (page >= Layout.PagesFor(segment.Size)) continue;
                    filler.Write(_handles[block.Segment.Value], page, file.Image(i));
                    Pages++;
                }
                Check(filler);
                if (Environment.TickCount64 - beatAt < 10_000) continue;
                beatAt = Environment.TickCount64;
                council.AskAsync(new Heartbeat(_session), stop).GetAwaiter().GetResult();
            }
        }
        catch (IOException e)
        {
            notice($"{file.Path} can't be read from byte {file.Position} on: {e.Message}");
        }
        if (file.Damaged > 0 || file.Extents is null)
            notice($"{file.Path} is damaged{(file.Extents is null ? ": its end is missing" : $": {file.Damaged} bytes of it")}; what it held is taken from other silos' files where they have it whole");
        if (file.Extents is not { } listed) return;
        // Only a file with a whole end says what isn't in it: zeros.
        var shards = file.Header.Shards.ToHashSet();
        var stored = listed.ToDictionary(static extent => (extent.Segment.Value, extent.Extent), static extent => extent.Blocks);
        foreach (SnapshotSegment segment in set.Header.Segments)
        {
            for (long number = 0; number < Layout.ExtentsFor(segment.Size); number++)
            {
                (ulong, uint) extent = (segment.Id.Value, (uint)number);
                if (!shards.Contains(set.ShardOf(segment, number))) continue;
                if (stored.GetValueOrDefault(extent) == intact.GetValueOrDefault(extent)) _whole.Add(extent);
            }
        }
    }

    private static void Check(PageFiller filler)
    {
        if (filler.Failure != PageStatus.Ok) throw new IOException($"the silos refused a page: {filler.Failure}");
    }

    private RequestId NextId() => new(_session, 0, ++_counter);

    private async Task<ClusterView?> ViewAsync(ulong newerThan, CancellationToken stop) => (await council.AskAsync(new GetView(newerThan), stop) as ViewAnswer)?.View;

    private async Task<Result> DecideAsync(RequestId id, Command command, CancellationToken stop)
    {
        CouncilAnswer answer = await council.AskAsync(new CommandRequest(id, command), stop);
        if (answer is not CommandAnswer decided) throw new CouncilRefusedException(answer.Error, answer.Message);
        return decided.Result.Error == RumError.None ? decided.Result : throw new CouncilRefusedException(decided.Result.Error, decided.Result.Message);
    }
}
