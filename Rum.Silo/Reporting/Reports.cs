using System.Text.Json;
using System.Text.Json.Serialization;

namespace Rum.Silo.Reporting;

// What the HTTP server and rum --json print. Field names are part of the interface: add, never rename.

/// <summary>
/// The cluster, as /status and <c>rum status --json</c> print it. <paramref name="Snapshot"/>: the one that is being made, <paramref name="LastSnapshot"/>: the last complete one, or null.
/// </summary>
public sealed record ClusterReport(
    string ClusterId, uint Generation, ulong Decree, ShardsReport Shards, int Copies, int Sessions, int Segments, long CapacityBytes, long ChargedBytes,
    string Survivable, IReadOnlyList<SiloReport> Silos, IReadOnlyList<SeatReport> Council, SnapshotReport? Snapshot, SnapshotReport? LastSnapshot);

/// <summary>
/// A seat of the council, or a candidate: its role is leader, member or candidate. <paramref name="AnsweredMs"/> is how long ago the leader heard of it,
/// <paramref name="Behind"/> how many decrees it lacked then.
/// </summary>
public sealed record SeatReport(string Seat, int Silo, string Endpoint, string Role, long AnsweredMs, ulong Behind);

/// <summary>Shards by state; <paramref name="Learning"/>: of those served, in which a silo is learning; <paramref name="Incomplete"/>: in use, with fewer copies than asked for.</summary>
public sealed record ShardsReport(int Ring, int Served, int Unassigned, int Lost, int Learning, int Incomplete);

/// <summary>
/// A silo in <see cref="ClusterReport"/>; its state is up, silent (a member that hasn't been heard of for <paramref name="SilentSeconds"/>, which is 0 for
/// those that are heard), draining or left. <paramref name="ShardsAlone"/>: those in use of which it has the only copy.
/// </summary>
public sealed record SiloReport(
    int Id, string Name, string State, string Incarnation, string Endpoint, string Http, string SharedMemory, string HostId, string Mac, string Label, bool Council,
    long CapacityBytes, long ChargedBytes, long ToDropBytes, int Shards, int ShardsInUse, double SilentSeconds, int ShardsLearning, int ShardsAlone);

/// <summary>What /health says: this silo, and which others the council doesn't hear.</summary>
public sealed record HealthReport(bool Ready, string Trouble, IReadOnlyList<SilentSiloReport> Silent);

/// <summary>A silo that is not heard.</summary>
public sealed record SilentSiloReport(int Id, string Name, double SilentSeconds);

/// <summary>A segment in <c>rum segment list --json</c>; its silo is the one that holds its first extent, 0 for none.</summary>
public sealed record SegmentReport(
    ulong Id, string Key, long SizeBytes, bool Pinned, bool Sparse, int Copies, ulong Owner, ulong Writer, int Readers, long ChargedBytes, int Silo);

/// <summary>A segment, as <c>rum segment show --json</c> prints it.</summary>
public sealed record SegmentDetailsReport(SegmentReport Segment, ulong Token, int FirstShard, IReadOnlyList<SegmentPlaceReport> Places);

/// <summary>Extents of a segment on a silo; silo 0: on none, they are lost.</summary>
public sealed record SegmentPlaceReport(int Silo, long Extents, long Bytes);

/// <summary>A session in <c>rum session list --json</c>.</summary>
public sealed record SessionReport(ulong Id, string Tenant, string Client, int LeaseMs, long AnonymousBytes, int Segments);

/// <summary>A silo's counters, as /stats and <c>rum stats --json</c> print them: dotted names, units where not counts.</summary>
public sealed record StatsReport(string Silo, IReadOnlyDictionary<string, long> Counters);

/// <summary>
/// A snapshot in <c>rum snapshot list --json</c>; its state is cutting, saving, complete or failed. <paramref name="HeldMs"/>: how long writes were not acknowledged for it.
/// </summary>
public sealed record SnapshotReport(
    ulong Id, string Name, long TimeMs, string State, string Reason, int Segments, long SegmentBytes, long StoredBytes, int LostShards, IReadOnlyList<SnapshotPartReport> Parts,
    double HeldMs);

/// <summary>A silo's part of a snapshot.</summary>
public sealed record SnapshotPartReport(int Silo, string Name, int Shards, bool Saved, long Pages, long Bytes);

/// <summary>What <c>rum snapshot restore --json</c> did.</summary>
public sealed record RestoreReport(string Snapshot, int Segments, long SegmentBytes, long Pages, IReadOnlyList<LostExtentReport> Lost);

/// <summary>An extent that came back as lost.</summary>
public sealed record LostExtentReport(string Key, long Extent);

/// <summary>The answer of a command that changed something.</summary>
public sealed record DoneReport(string Done, string Detail);

/// <summary>Serializers of the reports, generated at build time.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(ClusterReport))]
[JsonSerializable(typeof(IReadOnlyList<SegmentReport>))]
[JsonSerializable(typeof(SegmentDetailsReport))]
[JsonSerializable(typeof(IReadOnlyList<SessionReport>))]
[JsonSerializable(typeof(HealthReport))]
[JsonSerializable(typeof(StatsReport))]
[JsonSerializable(typeof(IReadOnlyList<StatsReport>))]
[JsonSerializable(typeof(IReadOnlyList<SnapshotReport>))]
[JsonSerializable(typeof(SnapshotReport))]
[JsonSerializable(typeof(RestoreReport))]
[JsonSerializable(typeof(DoneReport))]
[JsonSerializable(typeof(LocalReport))]
[JsonSerializable(typeof(OverviewReport))]
[JsonSerializable(typeof(RingReport))]
[JsonSerializable(typeof(SegmentPageReport))]
[JsonSerializable(typeof(SessionPageReport))]
public sealed partial class ReportJson : JsonSerializerContext;
