using System.Diagnostics.Metrics;
using Rum.Core;
using Rum.FastPath.Drivers;
using Rum.FastPath.Drivers.Dpdk;
using Rum.FastPath.Frames;
using Rum.FastPath.Server;
using Rum.Silo.Control;
using Rum.Silo.Council;
using Rum.Silo.Reporting;

namespace Rum.Silo;

/// <summary>The silo's counters: read where they are kept, so that counting costs the data thread nothing; published as meter "Rum.Silo" and as /stats.</summary>
public sealed class SiloMetrics : IDisposable
{
    private readonly Meter _meter = new("Rum.Silo");
    private readonly List<(string Name, Func<long> Read)> _counters = [];
    private readonly string _silo;

    /// <summary>Counters of these parts.</summary>
    public SiloMetrics(string silo, PageServer server, IReadOnlyList<IDriver> drivers, ControlPlane control, CouncilRouter council)
    {
        _silo = silo;
        AddPages(server);
        foreach (IGrouping<string, IDriver> kind in drivers.GroupBy(driver => driver.Traits.Name)) AddDrivers(kind.Key, [.. kind]);
        Counter("rum.silo.signs.given", "{sign}", () => server.Counters.SignsGiven);
        Counter("rum.silo.signs.heard", "{sign}", () => server.Counters.SignsHeard);
        Counter("rum.silo.control.requests", "{request}", () => server.Counters.ControlRequests);
        Counter("rum.silo.control.dropped", "{request}", () => server.Counters.ControlRequestsDropped);
        Counter("rum.silo.control.malformed", "{request}", () => control.Malformed);
        AddCouncil(council);
    }

    /// <summary>All counters as of now.</summary>
    public StatsReport Report()
    {
        var values = new SortedDictionary<string, long>(StringComparer.Ordinal);
        lock (_counters)
        {
            foreach ((string name, Func<long> read) in _counters) values[name] = read();
        }
        return new StatsReport(_silo, values);
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    private void AddPages(PageServer server)
    {
        Gauge("rum.silo.pages", "{page}", () => server.PoolStatistics.PagesStored);
        Gauge("rum.silo.pages.sparse", "{page}", () => server.PoolStatistics.SparsePagesStored);
        Gauge("rum.silo.frames.free", "{frame}", () => server.PoolStatistics.FramesFree);
        Gauge("rum.silo.memory.resident", "By", () => server.PoolStatistics.ResidentBytes);
        Gauge("rum.silo.segments", "{segment}", () => server.PoolStatistics.Segments);
        Gauge("rum.silo.extents", "{extent}", () => server.PoolStatistics.Extents);
        Gauge("rum.silo.view.decree", "{decree}", () => (long)server.ViewDecree);
        Counter("rum.silo.pages.read", "{page}", () => server.Counters.PagesRead);
        Counter("rum.silo.pages.read.zero", "{page}", () => server.Counters.ZeroPagesRead);
        Counter("rum.silo.pages.written", "{page}", () => server.Counters.PagesWritten);
        Counter("rum.silo.pages.copied", "{page}", () => server.Counters.PagesCopied);
        Counter("rum.silo.pages.written.again", "{page}", () => server.Counters.DuplicateWrites);
        Counter("rum.silo.trims", "{request}", () => server.Counters.Trims);
        Counter("rum.silo.fences", "{request}", () => server.Counters.Fences);
        Counter("rum.silo.answers.dropped", "{answer}", () => server.Counters.AnswersDropped);
        foreach (PageStatus status in Enum.GetValues<PageStatus>())
        {
            int index = (int)status;
            if (status != PageStatus.Ok) Counter("rum.silo.refused." + Dotted(status.ToString()), "{request}", () => server.Counters.Refused[index]);
        }
        for (int i = 1; i < (int)FrameFault.Count; i++)
        {
            int index = i;
            Counter("rum.silo.frames.bad." + Dotted(((FrameFault)i).ToString()), "{frame}", () => server.Counters.Faults[index]);
        }
    }

    // Several of a kind (DPDK has one for each port) are counted together.
    private void AddDrivers(string name, IDriver[] drivers)
    {
        string prefix = $"rum.silo.{name}.";
        Counter(prefix + "frames.sent", "{frame}", () => drivers.Sum(driver => driver.Counters.FramesSent));
        Counter(prefix + "frames.received", "{frame}", () => drivers.Sum(driver => driver.Counters.FramesReceived));
        Counter(prefix + "bytes.sent", "By", () => drivers.Sum(driver => driver.Counters.BytesSent));
        Counter(prefix + "bytes.received", "By", () => drivers.Sum(driver => driver.Counters.BytesReceived));
        Counter(prefix + "frames.dropped", "{frame}", () => drivers.Sum(driver => driver.Counters.FramesDropped));
        Counter(prefix + "send.back.pressure", "{burst}", () => drivers.Sum(driver => driver.Counters.SendBackPressure));
        if (name != DpdkDriver.Name) return;
        Counter(prefix + "frames.foreign", "{frame}", () => drivers.Sum(driver => driver.Counters.FramesForeign));
        Counter(prefix + "bytes.copied.sending", "By", () => drivers.Sum(driver => driver.Counters.BytesCopiedSending));
        Counter(prefix + "bytes.copied.receiving", "By", () => drivers.Sum(driver => driver.Counters.BytesCopiedReceiving));
        Counter(prefix + "port.missed", "{frame}", () => drivers.Sum(driver => ((DpdkDriver)driver).Port.ReadCounters().Missed));
        Counter(prefix + "port.errors", "{frame}", () => drivers.Sum(driver => ((DpdkDriver)driver).Port.ReadCounters().Errors));
    }

    private void AddCouncil(CouncilRouter council)
    {
        // A silo may get its seat later; until then it has counted nothing.
        CouncilCounters Counters() => council.Here?.Counters ?? default;
        Counter("rum.council.decrees", "{decree}", () => Counters().Decrees);
        Counter("rum.council.commands", "{command}", () => Counters().Commands);
        Counter("rum.council.queries", "{request}", () => Counters().Queries);
        Counter("rum.council.doubts", "{doubt}", () => Counters().Doubts);
        Counter("rum.council.sessions.expired", "{session}", () => Counters().SessionsExpired);
        Counter("rum.council.sync.time", "ns", () => Counters().SyncNs);
        Gauge("rum.council.sync.time.p50", "ns", () => council.Here is { } here ? (long)TimeHistogram.Quantile(here.SyncTimes, 0.5) : 0);
        Counter("rum.council.checkpoints", "{checkpoint}", () => Counters().Checkpoints);
        Counter("rum.council.elections", "{election}", () => Counters().Elections);
        Gauge("rum.council.leads", "{leader}", () => council.LeadsHere ? 1 : 0);
        Gauge("rum.council.decree", "{decree}", () => (long)Counters().Decree);
        Gauge("rum.council.log", "By", () => Counters().LogBytes);
        Gauge("rum.council.sessions", "{session}", () => Counters().Sessions);
    }

    /// <summary>Adds a counter of another room, such as the grains'.</summary>
    public void Counter(string name, string unit, Func<long> read)
    {
        _meter.CreateObservableCounter(name, read, unit);
        lock (_counters) _counters.Add((name, read));
    }

    private void Gauge(string name, string unit, Func<long> read)
    {
        _meter.CreateObservableGauge(name, read, unit);
        lock (_counters) _counters.Add((name, read));
    }

    // OutOfMemory: out.of.memory
    private static string Dotted(string pascal) => string.Concat(pascal.Select((c, i) => char.IsUpper(c) ? (i == 0 ? "" : ".") + char.ToLowerInvariant(c) : c.ToString()));
}
