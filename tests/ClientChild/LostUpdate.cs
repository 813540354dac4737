using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Rum.Client.Child;

/// <summary>
/// Threads that count in remote memory far larger than the cache, by plain stores, by copies and through pins, under a storm of collections. Each
/// thread owns a word of every page and knows what it must find there. Arguments: seconds, MiB, and "break" to lose an update on purpose.
/// </summary>
internal static class LostUpdate
{
    private const int Page = 4096;

    internal static async Task<int> Run(string[] args)
    {
        int seconds = int.Parse(args[0]);
        long bytes = long.Parse(args[1]) << 20;
        bool breakIt = args.Contains("break");
        await using RumClient client = await RumClient.ConnectAsync();
        await using RumSegment segment = await client.AllocateAsync(bytes);
        int pages = (int)(bytes / Page);
        Stopwatch clock = Stopwatch.StartNew();
        long deadline = seconds * 1000L;
        string? violation = null;
        long counts = 0;
        Way[] ways = [Way.Plain, Way.Copies, Way.Pins, Way.Async];
        List<Thread> threads = [];
        for (int t = 0; t < ways.Length; t++)
        {
            int id = t;
            threads.Add(new Thread(() =>
            {
                try
                {
                    Interlocked.Add(ref counts, Count(segment, ways[id], id, pages, clock, deadline, breakIt && id == 0));
                }
                catch (Exception e)
                {
                    Interlocked.CompareExchange(ref violation, $"{ways[id]}: {e.Message}", null);
                    deadline = 0;
                }
            }));
        }

        threads.Add(new Thread(() =>
        {
            List<byte[]> kept = [];
            while (clock.ElapsedMilliseconds < Volatile.Read(ref deadline))
            {
                for (int i = 0; i < 200; i++) kept.Add(new byte[1000 + i]);
                if (kept.Count > 20_000) kept.Clear();
                GC.Collect(kept.Count % 3, GCCollectionMode.Forced, blocking: kept.Count % 2 == 0);
            }
        }));
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
        RumStatistics stats = client.GetStatistics();
        Console.WriteLine(
            $"{counts} updates, {stats.Faults} faults, {stats.Evictions} evictions, {GC.CollectionCount(0)} collections, server GC {System.Runtime.GCSettings.IsServerGC}");
        if (violation is not null) Console.WriteLine("VIOLATION " + violation);
        return violation is not null ? 1 : stats.Evictions > 0 && GC.CollectionCount(0) > 0 ? 0 : 2;
    }

    private static long Count(RumSegment segment, Way way, int id, int pages, Stopwatch clock, long deadline, bool breakIt)
    {
        ulong[] expected = new ulong[pages];
        Random random = new(id);
        long updates = 0;
        // A cheap neighbourhood for a while, then another: so that pages are found resident, being evicted, and absent.
        int home = 0;
        while (clock.ElapsedMilliseconds < deadline)
        {
            if (updates % 512 == 0) home = random.Next(pages);
            int page = random.Next(8) == 0 ? random.Next(pages) : (home + random.Next(64)) % pages;
            ulong found = Update(segment, way, (long)page * Page + id * 8);
            if (found != expected[page]) throw new InvalidOperationException($"page {page} holds {found} instead of {expected[page]}");
            if (!breakIt || updates != 50) expected[page]++;
            updates++;
        }

        for (int page = 0; page < pages; page++)
        {
            ulong found = segment.Read<ulong>((long)page * Page + id * 8);
            if (found != expected[page]) throw new InvalidOperationException($"at the end page {page} holds {found} instead of {expected[page]}");
        }

        return updates;
    }

    /// <summary>Adds 1 to the word and returns what it was.</summary>
    private static ulong Update(RumSegment segment, Way way, long offset)
    {
        switch (way)
        {
            case Way.Plain:
                return MemoryMarshal.Cast<byte, ulong>(segment.DangerousGetSpan(offset, 8))[0]++;
            case Way.Copies:
                ulong value = segment.Read<ulong>(offset);
                segment.Write(offset, value + 1);
                return value;
            case Way.Pins:
                using (RumPin pin = segment.TryPin(offset, 8, out RumPin? quick) ? quick : segment.PinAsync(offset, 8).AsTask().GetAwaiter().GetResult())
                {
                    return MemoryMarshal.Cast<byte, ulong>(pin.GetSpan())[0]++;
                }

            default:
                ulong[] buffer = new ulong[1];
                segment.ReadAsync<ulong>(offset, buffer).AsTask().GetAwaiter().GetResult();
                ulong before = buffer[0]++;
                segment.WriteAsync<ulong>(offset, buffer).AsTask().GetAwaiter().GetResult();
                return before;
        }
    }

    private enum Way
    {
        Plain,
        Copies,
        Pins,
        Async,
    }
}
