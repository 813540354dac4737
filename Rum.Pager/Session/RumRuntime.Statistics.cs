using Rum.Core;
using Rum.FastPath.Client;
using Rum.Pager.Heap;

namespace Rum.Pager.Session;

// rum_stats and rum_stats_json. The names are part of the C ABI.
internal sealed partial class RumRuntime
{
    /// <summary>All counters and gauges as of now, as JSON or as lines.</summary>
    public string Describe(bool json)
    {
        var text = new StatisticsText(json);
        text.Begin("session");
        text.Add("id", (long)_council.Session.Value);
        text.Add("silos", _council.View.Members.Count);
        text.Add("transport", _transports.Names);
        text.End();
        DescribePager(text, _pager.Statistics);
        DescribeHeap(text, Heap.Statistics);
        DescribeClient(text, _client!);
        return text.ToString();
    }

    /// <summary>The same for the .NET API.</summary>
    public void Count(out Abi.ClientCounters counters)
    {
        PagerStatistics pager = _pager.Statistics;
        HeapStatistics heap = Heap.Statistics;
        counters = new Abi.ClientCounters
        {
            Faults = pager.Faults,
            ZeroFills = pager.ZeroFills,
            PagesFetched = pager.PagesFetched,
            PagesPrefetched = pager.PagesPrefetched,
            Evictions = pager.Evictions,
            WriteBacks = pager.WriteBacks,
            Rescues = pager.Rescues,
            Discards = pager.Discards,
            ResidentBytes = pager.ResidentBytes,
            CacheBytes = pager.CacheBytes,
            PinnedBytes = pager.PinnedBytes,
            FaultsWaiting = pager.FaultsWaiting,
            FaultP50Ns = (long)TimeHistogram.Quantile(pager.FaultNs, 0.50),
            FaultP99Ns = (long)TimeHistogram.Quantile(pager.FaultNs, 0.99),
            FaultP999Ns = (long)TimeHistogram.Quantile(pager.FaultNs, 0.999),
            HeapObjects = heap.LiveObjects,
            HeapBytes = heap.LiveBytes,
            ChargedBytes = heap.ChargedBytes,
        };
    }

    private static void DescribePager(StatisticsText text, PagerStatistics pager)
    {
        text.Begin("pager");
        text.Add("faults", pager.Faults);
        text.Add("zero_fills", pager.ZeroFills);
        text.Add("pages_fetched", pager.PagesFetched);
        text.Add("pages_prefetched", pager.PagesPrefetched);
        text.Add("pages_copied", pager.PagesCopied);
        text.Add("evictions", pager.Evictions);
        text.Add("write_backs", pager.WriteBacks);
        text.Add("rescues", pager.Rescues);
        text.Add("discards", pager.Discards);
        text.Add("cache_bytes", pager.CacheBytes);
        text.Add("resident_bytes", pager.ResidentBytes);
        text.Add("pinned_bytes", pager.PinnedBytes);
        text.Add("faults_waiting", pager.FaultsWaiting);
        text.Add("fault_us_p50", TimeHistogram.Quantile(pager.FaultNs, 0.50) / 1e3);
        text.Add("fault_us_p99", TimeHistogram.Quantile(pager.FaultNs, 0.99) / 1e3);
        text.Add("fault_us_p999", TimeHistogram.Quantile(pager.FaultNs, 0.999) / 1e3);
        text.Add("managed_bytes_allocated", pager.ManagedBytesAllocated);
        text.End();
    }

    private static void DescribeHeap(StatisticsText text, HeapStatistics heap)
    {
        text.Begin("heap");
        text.Add("allocations", heap.Allocations);
        text.Add("frees", heap.Frees);
        text.Add("live_objects", heap.LiveObjects);
        text.Add("live_bytes", heap.LiveBytes);
        text.Add("slab_bytes", heap.SlabBytes);
        text.Add("charged_bytes", heap.ChargedBytes);
        text.Add("released_bytes", heap.ReleasedBytes);
        text.Add("free_run_bytes", heap.FreeRunBytes);
        text.Add("longest_free_run_bytes", heap.LongestFreeRunBytes);
        text.Add("discarded_bytes", heap.DiscardedBytes);
        text.Add("local_bytes", heap.LocalBytes);
        text.Add("bad_pointers", heap.BadPointers);
        text.End();
    }

    private static void DescribeClient(StatisticsText text, PageClient source)
    {
        ref readonly PageClientCounters client = ref source.Counters;
        text.Begin("network");
        text.Add("pages_read", client.PagesRead);
        text.Add("zero_pages_read", client.ZeroPagesRead);
        text.Add("pages_read_directly", client.PagesReadDirectly);
        text.Add("direct_reads_asked", client.DirectReadsAsked);
        text.Add("pages_written", client.PagesWritten);
        text.Add("trims", client.Trims);
        text.Add("resends", client.Resends);
        text.Add("probes", client.Probes);
        text.Add("rerouted", client.Rerouted);
        text.Add("failed", client.Failed);
        foreach (string driver in new[] { "shm", "udp", "dpdk" })
        {
            (long sent, long received) = source.BytesOver(driver);
            text.Add(driver + "_bytes_sent", sent);
            text.Add(driver + "_bytes_received", received);
        }
        text.End();
    }
}
