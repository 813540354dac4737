using System.Diagnostics;
using System.Diagnostics.Metrics;
using Rum.Core;
using Rum.Native;

namespace Rum.Diagnostics;

/// <summary>Meter and activities, both named <see cref="Name"/>. The counters are read from librum.so when a listener collects, and cost nothing otherwise.</summary>
internal static class RumClientMetrics
{
    internal const string Name = "Rum.Client";

    private static readonly Meter Meter = new(Name);
    private static int s_clients;

    internal static readonly ActivitySource Activities = new(Name);

    internal static readonly Histogram<double> Duration =
        Meter.CreateHistogram<double>("rum.client.operation.duration", "s", "Time of calls of the control plane and of flushes.");

    static RumClientMetrics()
    {
        Counter("rum.client.faults", "{fault}", "Page faults resolved.", static s => s.Faults);
        Counter("rum.client.pages.fetched", "{page}", "Pages fetched from silos.", static s => s.PagesFetched);
        Counter("rum.client.pages.prefetched", "{page}", "Pages fetched ahead of their use.", static s => s.PagesPrefetched);
        Counter("rum.client.pages.evicted", "{page}", "Pages that left the cache.", static s => s.Evictions);
        Counter("rum.client.pages.written", "{page}", "Changed pages sent to silos.", static s => s.WriteBacks);
        Gauge("rum.client.cache.usage", "By", "Bytes of pages in the cache.", static s => s.ResidentBytes);
        Gauge("rum.client.cache.limit", "By", "The cache's limit.", static s => s.CacheBytes);
        Gauge("rum.client.pinned", "By", "Bytes pinned.", static s => s.PinnedBytes);
        Gauge("rum.client.faults.waiting", "{fault}", "Page faults that wait.", static s => s.FaultsWaiting);
    }

    /// <summary>A client began; before the first one the library isn't touched.</summary>
    internal static void Started() => Interlocked.Increment(ref s_clients);

    /// <summary>A client ended.</summary>
    internal static void Ended() => Interlocked.Decrement(ref s_clients);

    private static void Counter(string name, string unit, string description, Func<ClientStatistics, long> value) =>
        Meter.CreateObservableCounter(name, () => Observe(value), unit, description);

    private static void Gauge(string name, string unit, string description, Func<ClientStatistics, long> value) =>
        Meter.CreateObservableUpDownCounter(name, () => Observe(value), unit, description);

    private static IEnumerable<Measurement<long>> Observe(Func<ClientStatistics, long> value)
    {
        if (Volatile.Read(ref s_clients) == 0 || LibRum.rum_client_state() != (int)RumError.None) return [];
        return [new Measurement<long>(value(Calls.Statistics()))];
    }
}
