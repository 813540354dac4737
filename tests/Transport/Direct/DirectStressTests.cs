using System.Runtime.InteropServices;
using Rum.Core;
using Rum.FastPath.Server;

namespace Rum.Transport.Tests.Direct;

/// <summary>A silo that does all it can at full speed, and a reader beside it.</summary>
public sealed unsafe class DirectStressTests
{
    private const int Segments = 3, Extents = 2, Pages = 4, Kinds = 256;
    private const long ReadsMin = 300_000;
    private const int SecondsMax = 120;

    // By page: changes begun and done, and what kind the last ones were. Written by the silo's thread.
    private readonly long[] _begun = new long[Segments * Extents * Pages], _done = new long[Segments * Extents * Pages];
    private readonly byte[] _kinds = new byte[Segments * Extents * Pages * Kinds];
    private long _epochBegun = 1, _epochDone = 1;
    private volatile bool _stop;

    private enum Kind : byte
    {
        Image = 1,
        Zero,
    }

    [Fact]
    public void Every_page_read_is_whole_and_was_there_while_it_was_read()
    {
        using var silo = new DirectPool();
        Exception? defect = null;
        var writer = new Thread(() =>
        {
            try
            {
                WriteAll(silo);
            }
            catch (Exception e)
            {
                defect = e;
            }
        });
        writer.Start();
        long images = 0, zeros = 0, refused = 0;
        try
        {
            var random = new Random(2);
            byte* to = stackalloc byte[Layout.PageSize];
            long end = Environment.TickCount64 + (SecondsMax * 1000);
            while (images + zeros + refused < ReadsMin || images < 1000 || zeros < 100)
            {
                Assert.True(Environment.TickCount64 < end, $"after {SecondsMax} s {images} images, {zeros} pages of zeros, {refused} refusals");
                Assert.True(defect is null, defect?.ToString());
                ReadOne(silo, random, to, ref images, ref zeros, ref refused);
            }
        }
        finally
        {
            _stop = true;
            writer.Join();
        }
        Assert.True(defect is null, defect?.ToString());
        silo.Settle();
        Assert.Equal(silo.Pool.Statistics.FramesTotal, silo.Pool.Statistics.FramesFree + silo.Pool.Statistics.PagesStored);
    }

    private void ReadOne(DirectPool silo, Random random, byte* to, ref long images, ref long zeros, ref long refused)
    {
        int place = random.Next(_begun.Length);
        (ulong segment, ulong page) = (SegmentOf(place), PageOf(place));
        long epochDone = Volatile.Read(ref _epochDone);
        // Now and then an epoch that is over.
        long epoch = random.Next(8) == 0 && epochDone > 1 ? epochDone - 1 : epochDone;
        long low = Volatile.Read(ref _done[place]);
        PageStatus status = silo.Reader.Read(segment, page, 0, (uint)epoch, DirectPool.FrameGeneration, to, out PageVersion version);
        long high = Volatile.Read(ref _begun[place]);
        if (status == PageStatus.NotReady)
        {
            refused++;
            return;
        }
        Assert.True(epoch >= epochDone, $"read under epoch {epoch}, when {epochDone} was in force already");
        if (status == PageStatus.Zero)
        {
            zeros++;
            bool was = high - low >= Kinds / 2 || low == 0;
            for (long change = low; change <= high && !was; change++) was = _kinds[(place * Kinds) + (int)(change % Kinds)] == (byte)Kind.Zero;
            Assert.True(was, $"zeros, but none of the changes {low} to {high} made it zeros");
            return;
        }
        Assert.Equal(PageStatus.Ok, status);
        images++;
        var words = new ReadOnlySpan<ulong>(to, Layout.PageSize / 8);
        ulong change0 = words[0] >> 8;
        for (int i = 0; i < words.Length; i += 4)
        {
            bool whole = words[i] == words[0] && words[i + 1] == version.Sequence && words[i + 2] == words[2] && words[i + 3] == words[3];
            Assert.True(whole, $"page {place}: word {i} is {words[i]:x} {words[i + 1]:x} {words[i + 2]:x}, the first {words[0]:x} {words[1]:x} {words[2]:x}; version {version}");
        }
        Assert.Equal((ulong)place, words[0] & 0xFF);
        Assert.InRange((long)change0, low, high);
        Assert.True((long)words[2] <= epoch, $"written under epoch {words[2]}, read under {epoch}");
    }

    private void WriteAll(DirectPool silo)
    {
        var random = new Random(1);
        ulong sequence = 0;
        var image = (ulong*)NativeMemory.AlignedAlloc(Layout.PageSize, Layout.PageSize);
        for (ulong segment = 1; segment <= Segments; segment++) silo.Pool.Fence(new SegmentId(segment), 1, false, out _);
        while (!_stop)
        {
            int place = random.Next(_begun.Length);
            var segment = new SegmentId(SegmentOf(place));
            long page = (long)PageOf(place), first = page / Layout.PagesPerExtent * Layout.PagesPerExtent;
            switch (random.Next(64))
            {
                case < 48:
                    long change = Begin(place, Kind.Image);
                    ulong version = ++sequence;
                    for (int i = 0; i < Layout.PageSize / 8; i += 4)
                    {
                        image[i] = ((ulong)change << 8) | (uint)place;
                        image[i + 1] = version;
                        image[i + 2] = (ulong)_epochDone;
                        image[i + 3] = (ulong)random.Next(1) + version;
                    }
                    Assert.Equal(PageStatus.Ok, silo.Pool.Write(segment, page, new PageVersion(1, version), (byte*)image, out _));
                    End(place);
                    break;
                case < 56:
                    Begin(place, Kind.Zero);
                    Assert.Equal(PageStatus.Ok, silo.Pool.Trim(segment, page, 1, new PageVersion(1, ++sequence), out _));
                    End(place);
                    break;
                case < 58:
                    Begin(place, Kind.Zero);
                    silo.Pool.DropPages(segment, page, 1);
                    End(place);
                    break;
                case < 60:
                    ChangeExtent(place, () => silo.Pool.DropPages(segment, first, Layout.PagesPerExtent));
                    break;
                case 60:
                    // All extents go; under an epoch of its own, as when a shard comes back.
                    for (int i = 0; i < _begun.Length; i++) Begin(i, Kind.Zero);
                    Volatile.Write(ref _epochBegun, _epochBegun + 1);
                    silo.SetView((uint)_epochBegun, false);
                    silo.Pool.DropShard(new ShardId(0));
                    silo.Settle();
                    Volatile.Write(ref _epochBegun, _epochBegun + 1);
                    silo.SetView((uint)_epochBegun, true);
                    Volatile.Write(ref _epochDone, _epochBegun);
                    for (int i = 0; i < _begun.Length; i++) End(i);
                    break;
                case 61:
                    Volatile.Write(ref _epochBegun, _epochBegun + 1);
                    silo.SetView((uint)_epochBegun, true);
                    Volatile.Write(ref _epochDone, _epochBegun);
                    break;
                case 62:
                    silo.Pool.MarkCut(sequence + 1);
                    break;
                default:
                    silo.Pool.EndCut();
                    break;
            }
            _ = silo.Pool.DoChores();
        }
        NativeMemory.AlignedFree(image);
        silo.Pool.EndCut();
    }

    private void ChangeExtent(int place, Action change)
    {
        int first = place / Pages * Pages;
        for (int i = first; i < first + Pages; i++) Begin(i, Kind.Zero);
        change();
        for (int i = first; i < first + Pages; i++) End(i);
    }

    private long Begin(int place, Kind kind)
    {
        long change = _begun[place] + 1;
        _kinds[(place * Kinds) + (int)(change % Kinds)] = (byte)kind;
        Volatile.Write(ref _begun[place], change);
        return change;
    }

    private void End(int place) => Volatile.Write(ref _done[place], _begun[place]);

    private static ulong SegmentOf(int place) => (ulong)(place / (Extents * Pages)) + 1;

    private static ulong PageOf(int place) => (ulong)((place / Pages % Extents * Layout.PagesPerExtent) + (place % Pages));
}
