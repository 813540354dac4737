using System.Runtime.InteropServices;
using Rum.Core;
using Rum.Pager;

namespace Rum.LostUpdate;

// What the threads do.
public sealed unsafe partial class LostUpdateStress
{
    /// <summary>Half of the touches go to few pages, some run front to back, the rest anywhere.</summary>
    private static int Choose(Random random, ref int run)
    {
        int kind = random.Next(16);
        if (kind < 7) return random.Next(CachePages);
        if (kind < 11) return run = (run + 1) % Pages;
        if (kind == 11) run = random.Next(Pages);
        return random.Next(Pages);
    }

    private void Write(int writer)
    {
        Random random = new(_options.Seed * 100 + writer);
        uint[] stored = _stored[writer];
        int run = 0;
        for (long n = 0; !_stop && Violation is null; n++)
        {
            int page = Choose(random, ref run), word = random.Next(WordsOfWriter);
            Check(writer, page, word, "while running");
            if (random.Next(3) != 0)
            {
                uint version = ++stored[page * WordsOfWriter + word];
                Native.Store(WordAddress(writer, page, word), Word(writer, page, version));
            }

            Interlocked.Increment(ref _operations);
            if (n % 500 == 0) CheckFlush(writer, page, word);
        }
    }

    /// <summary>Flush promises that the silo has every store made before the call.</summary>
    private void CheckFlush(int writer, int page, int word)
    {
        ulong mine = Word(writer, page, _stored[writer][page * WordsOfWriter + word]);
        if (_pager.Flush(_memory + (nint)page * Page, Page) != RumError.None) Fail("Flush failed");
        byte* image = _store.Read(_segment.Segment, page);
        long offset = WordAddress(writer, page, word) - (_memory + (nint)page * Page);
        ulong there = image is null ? 0 : *(ulong*)(image + offset);
        if (there != mine) Fail($"after Flush: page {page}, word {word} of writer {writer}: stored {mine:x16}, the store has {there:x16}");
    }

    private void Read()
    {
        Random random = new(_options.Seed * 100 + 50);
        uint[] seen = new uint[Writers * Pages * WordsOfWriter];
        int run = 0;
        while (!_stop && Violation is null)
        {
            int page = Choose(random, ref run), writer = random.Next(Writers), word = random.Next(WordsOfWriter);
            ulong found = Native.Load(WordAddress(writer, page, word));
            uint version = (uint)(found >> 32);
            ref uint last = ref seen[(writer * Pages + page) * WordsOfWriter + word];
            if (found != Word(writer, page, version)) Fail($"reader: page {page}, word {word} of writer {writer} is {found:x16}, which nobody stored");
            if (version < last) Fail($"reader: page {page}, word {word} of writer {writer} went back from {last} to {version}");
            last = version;
            Interlocked.Increment(ref _operations);
        }
    }

    /// <summary>Direct I/O into pages that are being evicted: the kernel writes them by their physical address.</summary>
    private void ReadDirectly()
    {
        string path = Path.Combine(Path.GetTempPath(), $"rum-stress-{Environment.ProcessId}-{_options.Seed}");
        int fd = Native.Open(path, Native.ReadWriteCreate | Native.Direct, 0x180);
        if (fd < 0)
        {
            Skipped = $"direct I/O: {path} can't be opened with O_DIRECT";
            return;
        }

        Native.Unlink(path);
        ulong* local = (ulong*)NativeMemory.AlignedAlloc(Page, Page);
        for (int block = 0; block < PrivatePages; block++)
        {
            new Span<ulong>(local, Page / 8).Fill(0xD1EC_0000_0000_0000 + (ulong)block);
            Native.Pwrite(fd, local, Page, (long)block * Page);
        }

        Random random = new(_options.Seed * 100 + 60);
        nint area = _memory + (nint)Pages * Page;
        while (!_stop && Violation is null)
        {
            int block = random.Next(PrivatePages);
            nint to = area + (nint)random.Next(PrivatePages) * Page;
            bool pin = _options.Mode == PagerMode.Copy;
            if (pin && _pager.Pin(to, Page) != RumError.None) continue;
            nint n = Native.Pread(fd, (void*)to, Page, (long)block * Page);
            Native.Memcpy(local, (void*)to, Page);
            if (pin) _pager.Unpin(to, Page);
            if (n != Page) Fail($"direct read returned {n}, error {Marshal.GetLastPInvokeError()}");
            else if (new Span<ulong>(local, Page / 8).ContainsAnyExcept(0xD1EC_0000_0000_0000 + (ulong)block)) Fail("a direct read into a remote page was lost");
            Interlocked.Increment(ref _operations);
        }

        NativeMemory.AlignedFree(local);
        Native.Close(fd);
    }

    private void FlushAndPrefetch()
    {
        Random random = new(_options.Seed * 100 + 70);
        for (long next = 0; !_stop && Violation is null;)
        {
            // Not too often, else no page leaves the cache dirty.
            if (Operations < next)
            {
                Thread.Yield();
                continue;
            }

            next = Operations + 100;
            nint at = _memory + (nint)random.Next(Pages - 64) * Page;
            long length = (1 + random.Next(64)) * (long)Page;
            RumError error = random.Next(8) switch
            {
                0 when random.Next(8) == 0 => _pager.Flush(0, 0),
                0 or 1 or 2 => _pager.FlushAndDrop(at, length),
                3 or 4 => _pager.Flush(at, length),
                _ => _pager.Prefetch(at, length),
            };
            if (error != RumError.None) Fail($"flush or prefetch: {error}");
        }
    }

    /// <summary>Discarded pages read as zeros; pinned pages stay.</summary>
    private void DiscardAndPin()
    {
        Random random = new(_options.Seed * 100 + 80);
        nint area = _memory + (nint)(Pages + PrivatePages) * Page;
        ulong[] stored = new ulong[PrivatePages];
        while (!_stop && Violation is null)
        {
            int first = random.Next(PrivatePages - 8), count = 1 + random.Next(8);
            nint at = area + (nint)first * Page;
            for (int p = first; p < first + count && Violation is null; p++)
            {
                ulong found = Native.Load(area + (nint)p * Page + 8);
                if (found != stored[p]) Fail($"private page {p}: stored {stored[p]:x16}, found {found:x16}");
            }

            if (random.Next(3) == 0)
            {
                if (_pager.Discard(at, (long)count * Page) != RumError.None) Fail("Discard failed");
                Array.Clear(stored, first, count);
                continue;
            }

            bool pin = random.Next(2) == 0 && _pager.Pin(at, (long)count * Page) == RumError.None;
            for (int p = first; p < first + count; p++) Native.Store(area + (nint)p * Page + 8, stored[p] = (ulong)random.NextInt64());
            if (pin && _pager.Unpin(at, (long)count * Page) != RumError.None) Fail("Unpin failed");
        }
    }

    private void Collect()
    {
        List<byte[]> kept = [];
        while (!_stop && Violation is null)
        {
            kept.Add(new byte[10_000]);
            if (kept.Count > 2000) kept.Clear();
            Thread.Yield();
        }
    }
}
