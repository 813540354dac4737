using System.Diagnostics;
using Rum.Core;
using Rum.FastPath.Client;
using Rum.Pager;
using Rum.Pager.Floor;
using PagerOfProcess = Rum.Pager.Paging.Pager;

namespace Rum.LostUpdate;

/// <summary>
/// Writers, readers, flushes, prefetches, discards, pins, direct I/O and a collecting runtime on sixteen times the cache. Each writer owns
/// words in every page and remembers what it stored last: whatever it reads back must be that.
/// </summary>
public sealed partial class LostUpdateStress : IDisposable
{
    private const int Page = Layout.PageSize;
    private const int CachePages = 256;
    private const int Pages = 4096;
    private const int PrivatePages = 64;
    private const int Writers = 3;
    private const int WordsOfWriter = 4;

    private readonly StressOptions _options;
    private readonly FloorStore _store = new();
    private readonly FloorChannel _channel;
    private readonly LendingChannel _lending;
    private readonly SegmentHandle _segment = new(new SegmentId(1), 1, new ShardId(0), SegmentFlags.None);
    private readonly uint[][] _stored = new uint[Writers][];
    private PagerOfProcess _pager = null!;
    private nint _memory;
    private volatile bool _stop;
    private string? _violation;
    private long _operations;

    /// <summary>Prepares a run.</summary>
    public LostUpdateStress(StressOptions options)
    {
        _options = options;
        _channel = new FloorChannel(_store, 256, options.DelayUs * 1000, options.Seed);
        _lending = new LendingChannel(_channel, options.Lends, options.Seed);
        _store.Add(_segment.Segment, (Pages + 4 * PrivatePages) * (long)Page);
        for (int w = 0; w < Writers; w++) _stored[w] = new uint[Pages * WordsOfWriter];
    }

    /// <summary>What was wrong; null: nothing.</summary>
    public string? Violation => Volatile.Read(ref _violation);

    /// <summary>Why something could not be tried; null: all was.</summary>
    public string? Skipped { get; private set; }

    /// <summary>Pages that came in lent buffers.</summary>
    public long Landed => _lending.Landed;

    /// <summary>Loads and stores made.</summary>
    public long Operations => Interlocked.Read(ref _operations);

    /// <summary>The pager's figures at the end.</summary>
    public PagerStatistics? Statistics { get; private set; }

    /// <summary>Runs; UserfaultfdUnavailable with a reason in <see cref="Skipped"/> where the machine does not permit it.</summary>
    public RumError Run()
    {
        PagerOptions options = new() { CacheBytes = CachePages * Page, Mode = _options.Mode, Defect = _options.Defect };
        IPageChannel channel = _options.Lends == 0 ? _channel : _lending;
        RumError error = PagerOfProcess.Start(channel, options, out PagerOfProcess? pager, out string why);
        if (error != RumError.None)
        {
            Skipped = why;
            return error;
        }

        _pager = pager!;
        long bytes = (Pages + 4 * PrivatePages) * (long)Page;
        error = _pager.Map(new RegionOptions(_segment, bytes, bytes, false, true), out _memory);
        if (error != RumError.None) return error;
        List<Thread> threads = [];
        for (int w = 0; w < Writers; w++)
        {
            int writer = w;
            threads.Add(new Thread(() => Write(writer)));
        }

        threads.Add(new Thread(Read));
        threads.Add(new Thread(ReadDirectly));
        threads.Add(new Thread(FlushAndPrefetch));
        threads.Add(new Thread(DiscardAndPin));
        threads.Add(new Thread(Collect));
        foreach (Thread thread in threads) thread.Start();
        long end = Stopwatch.GetTimestamp() + (long)(_options.Seconds * Stopwatch.Frequency);
        for (long next = Stopwatch.GetTimestamp() + 5 * Stopwatch.Frequency; Stopwatch.GetTimestamp() < end && Violation is null;)
        {
            threads[0].Join(50);
            if (!_options.Verbose || Stopwatch.GetTimestamp() < next) continue;
            next += 5 * Stopwatch.Frequency;
            Console.WriteLine($"{Operations} operations, {_pager.Statistics.Faults} faults, {_pager.Statistics.Evictions} evictions, {_pager.Statistics.WriteBacks} write-backs, {_pager.Statistics.Rescues} rescues");
        }

        _stop = true;
        foreach (Thread thread in threads) thread.Join();
        if (Violation is null) VerifyAll("after the run");
        if (Violation is null && _pager.FlushAndDrop(0, 0) != RumError.None) Fail("FlushAndDrop failed");
        if (Violation is null) VerifyAll("after FlushAndDrop");
        Statistics = _pager.Statistics;
        if (Statistics.ResidentBytes > Statistics.CacheBytes) Fail($"{Statistics.ResidentBytes} bytes resident of {Statistics.CacheBytes} allowed");
        return RumError.None;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _pager?.Dispose();
        _channel.Dispose();
    }

    private void Fail(string what) => Interlocked.CompareExchange(ref _violation, what, null);

    private nint WordAddress(int writer, int page, int word) => _memory + (nint)page * Page + (word * 1024 + writer * 264 + page % 16 * 8);

    private static ulong Word(int writer, int page, uint version) => version == 0 ? 0 : (ulong)version << 32 | (uint)page << 8 | (uint)writer | 0x80;

    private void VerifyAll(string when)
    {
        for (int w = 0; w < Writers; w++)
            for (int p = 0; p < Pages && Violation is null; p++)
                for (int i = 0; i < WordsOfWriter; i++) Check(w, p, i, when);
    }

    private void Check(int writer, int page, int word, string when)
    {
        ulong expected = Word(writer, page, _stored[writer][page * WordsOfWriter + word]);
        ulong found = Native.Load(WordAddress(writer, page, word));
        if (found != expected) Fail($"{when}: page {page}, word {word} of writer {writer}: stored {expected:x16}, found {found:x16}");
    }
}
