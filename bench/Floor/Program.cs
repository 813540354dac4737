using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Rum.Core;
using Rum.FastPath.Client;
using Rum.Pager;
using Rum.Pager.Floor;
using PagerOfProcess = Rum.Pager.Paging.Pager;

namespace Rum.Floor.Bench;

/// <summary>
/// The pager's own floor: pages from memory of the same process, so that only the fault path is measured. Run it pinned
/// (<c>taskset -c 0</c>) to compare with other pinned figures.
/// </summary>
internal static unsafe partial class Program
{
    private const int Page = Layout.PageSize;

    [LibraryImport("libc", EntryPoint = "memcpy")]
    private static partial void* Memcpy(void* to, void* from, nuint bytes);

    private static int Main(string[] arguments)
    {
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        long cache = (arguments.Length > 0 ? int.Parse(arguments[0]) : 64) * (1L << 20);
        long bytes = (arguments.Length > 1 ? int.Parse(arguments[1]) : 512) * (1L << 20);
        double seconds = arguments.Length > 2 ? double.Parse(arguments[2]) : 2;
        PagerMode mode = arguments.Length > 3 ? Enum.Parse<PagerMode>(arguments[3], true) : PagerMode.Auto;
        using FloorStore store = new();
        SegmentHandle segment = new(new SegmentId(1), 1, new ShardId(0), SegmentFlags.None);
        store.Add(segment.Segment, bytes);
        using FloorChannel channel = new(store);
        RumError error = PagerOfProcess.Start(channel, new PagerOptions { CacheBytes = cache, Mode = mode }, out PagerOfProcess? pager, out string why);
        if (error != RumError.None)
        {
            Console.Error.WriteLine(why);
            return 1;
        }

        using (pager)
        {
            pager!.Map(new RegionOptions(segment, bytes, bytes, false, true), out nint at);
            int pages = (int)(bytes / Page);
            Scan("fill (write, front to back)", pager, at, pages, true);
            pager.FlushAndDrop(0, 0);
            Random(pager, at, pages, seconds / 2, false, false);
            Random(pager, at, pages, seconds, false, true);
            Random(pager, at, pages, seconds, true, true);
            for (int i = 0; i < 3; i++)
            {
                pager.FlushAndDrop(0, 0);
                Scan("scan (read)", pager, at, pages, false);
            }

            Copies(pages);
        }

        return 0;
    }

    private static void Random(PagerOfProcess pager, nint at, int pages, double seconds, bool write, bool print)
    {
        TimeHistogram wall = new();
        Random random = new(1);
        long[] before = [.. pager.Statistics.FaultNs];
        long faults = pager.Statistics.Faults, managed = pager.Statistics.ManagedBytesAllocated;
        long start = Stopwatch.GetTimestamp(), end = start + (long)(seconds * 1e9), now = start;
        long touches = 0;
        ulong value = 0;
        while (now < end)
        {
            nint page = at + (nint)random.Next(pages) * Page + 64;
            value += (ulong)touches;
            if (write) Memcpy((void*)page, &value, 8);
            else Memcpy(&value, (void*)page, 8);
            long after = Stopwatch.GetTimestamp();
            if (after - now > 2000) wall.Add(after - now);
            now = after;
            touches++;
        }

        if (!print) return;
        PagerStatistics stats = pager.Statistics;
        faults = stats.Faults - faults;
        long[] inside = [.. stats.FaultNs];
        for (int i = 0; i < inside.Length; i++) inside[i] -= before[i];
        long[] outside = wall.Snapshot();
        Console.WriteLine($"random {(write ? "write" : "read"),-6} {faults / seconds,9:F0} faults/s  wall p50 {TimeHistogram.Quantile(outside, 0.5) / 1e3:F1} p99 {TimeHistogram.Quantile(outside, 0.99) / 1e3:F1} us" +
            $"  in pager p50 {TimeHistogram.Quantile(inside, 0.5) / 1e3:F1} p99 {TimeHistogram.Quantile(inside, 0.99) / 1e3:F1} us  managed bytes {stats.ManagedBytesAllocated - managed}  write-backs {stats.WriteBacks}");
    }

    private static void Scan(string name, PagerOfProcess pager, nint at, int pages, bool write)
    {
        long faults = pager.Statistics.Faults;
        long start = Stopwatch.GetTimestamp();
        ulong value = 1;
        for (int p = 0; p < pages; p++)
        {
            byte* page = (byte*)at + (long)p * Page;
            if (write) Memcpy(page, &value, 8);
            else Memcpy(&value, page, 8);
        }

        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        Console.WriteLine($"{name}: {pages / seconds:F0} pages/s, {pager.Statistics.Faults - faults} faults");
    }

    private static void Copies(int pages)
    {
        pages = Math.Min(pages, 65536);
        byte* from = (byte*)NativeMemory.AlignedAlloc((nuint)pages * Page, Page);
        byte* to = (byte*)NativeMemory.AlignedAlloc(Page, Page);
        new Span<byte>(from, pages * Page).Fill(1);
        long start = Stopwatch.GetTimestamp();
        for (int p = 0; p < pages; p++) Memcpy(to, from + (long)p * Page, Page);
        Console.WriteLine($"memcpy: {pages / Stopwatch.GetElapsedTime(start).TotalSeconds:F0} pages/s");
        NativeMemory.AlignedFree(from);
        NativeMemory.AlignedFree(to);
    }
}
