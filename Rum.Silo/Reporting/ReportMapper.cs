using Rum.Core;
using Rum.Core.Council;
using Rum.Core.Sessions;
using Rum.Silo.Council;

namespace Rum.Silo.Reporting;

/// <summary>From the council's answers to reports.</summary>
public static class ReportMapper
{
    // A seat that didn't answer the leader for so long is no support.
    private const long SeatAwayMs = 3000;

    /// <summary>The cluster.</summary>
    public static ClusterReport Report(ClusterStatus status) => new(
        status.ClusterId.ToString(),
        status.Generation,
        status.Decree,
        new ShardsReport(status.RingShards, status.Served, status.Unassigned, status.Lost, status.Learning, status.Incomplete),
        status.Copies,
        status.Sessions,
        status.Segments,
        status.Members.Where(m => m.Member.State != MemberState.Left).Sum(m => m.Member.Capacity),
        status.Members.Sum(m => m.Charged),
        Survivable(status),
        [.. status.Members.Select(Report)],
        [.. status.Council.Select(seat => Report(seat, status.Decree))],
        status.Snapshot is { } making ? Report(making) : null,
        status.LastSnapshot is { } last ? Report(last) : null);

    /// <summary>This silo's health, and that of the others as the council sees them.</summary>
    public static HealthReport Report(bool ready, string trouble, ClusterStatus? status) => new(
        ready,
        trouble,
        [.. (status?.Members ?? []).Where(m => SilentSeconds(m) > 0).Select(m => new SilentSiloReport(m.Member.Id.Value, m.Member.Name, SilentSeconds(m)))]);

    /// <summary>A segment, as of a view.</summary>
    public static SegmentReport Report(SegmentInfo info, ClusterView view) => new(
        info.Id.Value,
        info.Key == UInt128.Zero ? "" : new SegmentKey(info.Key).ToString(),
        info.Size,
        info.Flags.HasFlag(SegmentFlags.Pinned),
        info.Flags.HasFlag(SegmentFlags.Sparse),
        info.Copies,
        info.Owner.Value,
        info.Writer.Value,
        info.Readers,
        info.Charged,
        info.FirstShard.Value < view.Shards.Count && view.Shards[info.FirstShard.Value].Replicas is [{ } home, ..] ? home.Silo.Value : 0);

    /// <summary>A segment, closely looked at.</summary>
    public static SegmentDetailsReport Report(SegmentDetails details, ClusterView view) => new(
        Report(details.Info, view),
        details.Token,
        details.FirstShard.Value,
        [.. details.Places.Select(p => new SegmentPlaceReport(p.Silo.Value, p.Extents, p.Bytes))]);

    /// <summary>A snapshot.</summary>
    public static SnapshotReport Report(SnapshotInfo info) => new(
        info.Id, info.Name, info.TimeMs, info.State.ToString().ToLowerInvariant(), info.Reason, info.Segments, info.SegmentBytes, info.Parts.Sum(static part => part.Bytes), info.LostShards,
        [.. info.Parts.Select(static part => new SnapshotPartReport(part.Silo.Value, part.Name, part.Shards, part.Saved, part.Pages, part.Bytes))],
        info.HeldUs / 1000.0);

    /// <summary>Times of a histogram, empty buckets left out.</summary>
    public static IReadOnlyList<TimesReport> Report(TimeHistogram times)
    {
        long[] counts = times.Snapshot();
        return [.. from bucket in Enumerable.Range(0, counts.Length)
                   where counts[bucket] > 0
                   select new TimesReport(TimeHistogram.LowerNs(bucket), TimeHistogram.LowerNs(bucket + 1), counts[bucket])];
    }

    /// <summary>Something that the council decided or noticed.</summary>
    public static EventReport Report(JournalEntry entry) => new(entry.Number, entry.At.ToUnixTimeMilliseconds(), entry.Decree, entry.Kind, entry.Text);

    /// <summary>The ring.</summary>
    public static RingReport Ring(ClusterView view, int ringShards) => new(
        view.Decree, ringShards, [.. view.Shards.Take(ringShards).Select(shard => shard.State switch
        {
            ShardState.Lost => -1,
            ShardState.Served when shard.Replicas.Count > 0 => shard.Replicas[0].Silo.Value,
            _ => 0,
        })]);

    /// <summary>What a silo says of itself, for those who look at the whole cluster.</summary>
    public static LiveReport Live(int silo, LocalReport local) => new(
        silo, "", local.AtMs, Counter(local, "rum.silo.pages"), Counter(local, "rum.silo.memory.resident"), Counter(local, "rum.silo.pages.read"),
        Counter(local, "rum.silo.pages.written"), local.Service);

    /// <summary>A session.</summary>
    public static SessionReport Report(SessionInfo session) =>
        new(session.Id.Value, session.Tenant, session.ClientName, session.LeaseMs, session.Anonymous, session.Segments);

    private static long Counter(LocalReport local, string name) => local.Counters.TryGetValue(name, out long value) ? value : 0;

    private static SiloReport Report(MemberStatus status)
    {
        Member silo = status.Member;
        double silent = SilentSeconds(status);
        return new SiloReport(
            silo.Id.Value, silo.Name, StateOf(silo, silent), silo.Incarnation.ToString(), silo.Endpoint, silo.Http,
            silo.SharedMemory, silo.HostId, silo.Mac, silo.Label, silo.Council, silo.Capacity, status.Charged, status.ToDrop, status.Shards, status.ShardsInUse, silent, status.Learning, status.Alone);
    }

    /// <summary>How long a member that the leader counts as silent has been so; 0 for any other.</summary>
    private static double SilentSeconds(MemberStatus status) =>
        status.Member.State != MemberState.Left && status.SilentMs > 0 ? Math.Max(0.1, Math.Round(status.SilentMs / 1000.0, 1)) : 0;

    private static SeatReport Report(SeatStatus seat, ulong decree) => new(
        seat.Seat.Seat.ToString("x16"),
        seat.Seat.Silo.Value,
        seat.Seat.Endpoint,
        seat.Leads ? "leader" : seat.Seat.Seated ? "member" : "candidate",
        seat.SilentMs,
        decree > seat.Decree ? decree - seat.Decree : 0);

    /// <summary>Whether the council goes on without a silo: a quorum of the others answers the leader.</summary>
    private static bool CouncilSurvives(ClusterStatus status, SiloId without)
    {
        SeatStatus[] seats = [.. status.Council.Where(s => s.Seat.Seated)];
        int left = seats.Count(s => s.Seat.Silo != without && s.SilentMs < SeatAwayMs);
        return left >= (seats.Length / 2) + 1;
    }

    private static string StateOf(Member silo, double silent) => silo.State switch
    {
        MemberState.Left => "left",
        MemberState.Silent => "silent",
        _ when silent > 0 => "silent",
        MemberState.Draining => "draining",
        _ => "up",
    };

    // A silo can go without loss if no shard in use has its only copy there, and if the council goes on without it.
    private static string Survivable(ClusterStatus status)
    {
        string[] silent = [.. status.Members.Where(m => m.Member.State == MemberState.Silent || SilentSeconds(m) > 0).Select(m => m.Member.Name)];
        string already = silent.Length == 0 ? "" : $"; {string.Join(", ", silent)} {(silent.Length == 1 ? "is" : "are")} silent already";
        int seated = status.Council.Count(s => s.Seat.Seated);
        string council = seated <= 1 ? "the council is one silo" : status.Members.All(m => CouncilSurvives(status, m.Member.Id))
            ? $"the council of {seated} goes on without any one silo"
            : $"the council of {seated} has no silo to spare now";
        List<MemberStatus> up = [.. status.Members.Where(m => m.Member.State is MemberState.Up or MemberState.Draining && SilentSeconds(m) == 0)];
        List<MemberStatus> spare = [.. up.Where(m => m.Alone == 0 && CouncilSurvives(status, m.Member.Id))];
        string stored = spare.Exists(m => m.ShardsInUse > 0) ? " (what is stored there is elsewhere too)" : " (nothing is stored there)";
        return (spare.Count == 0 ? "no single loss: every silo holds the only copy of some pages, or the council"
            : spare.Count > 1 && spare.Count == up.Count ? "the loss of any one silo" + stored
            : "only the loss of " + string.Join(" or ", spare.Select(m => m.Member.Name)) + stored) + $"; {council}" + already;
    }
}
