using Rum.Core;
using Rum.Silo.Council;
using Rum.Silo.Reporting;

namespace Rum.Silo.Http;

/// <summary>What this silo knows by itself: counters, service times and, where it leads the council, events. Any thread.</summary>
public sealed class LocalView(string name, string incarnation, SiloMetrics metrics, TimeHistogram serviceTimes, CouncilRouter council)
{
    /// <summary>Its life, to find it among the members.</summary>
    public string Incarnation => incarnation;

    /// <summary>Its name.</summary>
    public string Name => name;

    /// <summary>As of now.</summary>
    public LocalReport Report() => new(
        name, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), council.LeadsHere, metrics.Report().Counters, ReportMapper.Report(serviceTimes),
        council.LeadsHere && council.Here is { } seat ? [.. seat.Journal.Entries.Select(ReportMapper.Report)] : []);
}
