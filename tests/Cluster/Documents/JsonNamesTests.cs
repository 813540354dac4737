using Rum.Silo.Reporting;

namespace Rum.Cluster.Tests.Documents;

/// <summary>The field names of all JSON output: programs read them, so they may be added, never renamed.</summary>
public sealed class JsonNamesTests
{
    private const string Known = """
        ClusterReport: cluster_id generation decree shards copies sessions segments capacity_bytes charged_bytes survivable silos council snapshot last_snapshot
        DoneReport: done detail
        EventReport: number at_ms decree kind text
        HealthReport: ready trouble silent
        LiveReport: silo missing at_ms pages resident_bytes pages_read pages_written service
        LocalReport: silo at_ms leads counters service events
        LostExtentReport: key extent
        OverviewReport: here at_ms view_decree cluster live events events_missing
        RestoreReport: snapshot segments segment_bytes pages lost
        RingReport: decree ring_shards shards
        SeatReport: seat silo endpoint role answered_ms behind
        SegmentDetailsReport: segment token first_shard places
        SegmentPageReport: search more segments
        SegmentPlaceReport: silo extents bytes
        SegmentReport: id key size_bytes pinned sparse copies owner writer readers charged_bytes silo
        SessionPageReport: search more sessions
        SessionReport: id tenant client lease_ms anonymous_bytes segments
        ShardsReport: ring served unassigned lost learning incomplete
        SilentSiloReport: id name silent_seconds
        SiloReport: id name state incarnation endpoint http shared_memory host_id mac label council capacity_bytes charged_bytes to_drop_bytes shards shards_in_use silent_seconds shards_learning shards_alone
        SnapshotPartReport: silo name shards saved pages bytes
        SnapshotReport: id name time_ms state reason segments segment_bytes stored_bytes lost_shards parts held_ms
        StatsReport: silo counters
        TimesReport: from_ns to_ns count
        """;

    [Fact]
    public void NamesStay()
    {
        IEnumerable<string> lines = typeof(ReportJson).Assembly.GetTypes()
            .Where(type => type.Namespace == typeof(ReportJson).Namespace && type.Name.EndsWith("Report", StringComparison.Ordinal))
            .OrderBy(type => type.Name, StringComparer.Ordinal)
            .Select(type => $"{type.Name}: {string.Join(' ', ReportJson.Default.GetTypeInfo(type)!.Properties.Select(p => p.Name))}");
        Assert.Equal(Known.Split('\n', StringSplitOptions.TrimEntries), lines);
    }
}
