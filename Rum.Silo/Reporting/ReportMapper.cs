using Rum.Core;
using Rum.Core.Council;

namespace Rum.Silo.Reporting;

/// <summary>From the council's answers to reports.</summary>
public static class ReportMapper
{
    /// <summary>The cluster.</summary>
    public static ClusterReport Report(ClusterStatus status) => new(
        status.ClusterId.ToString(),
        status.Generation,
        status.Decree,
        new ShardsReport(status.RingShards, status.Served, status.Unassigned, status.Lost),
        status.Sessions,
        status.Segments,
        status.Members.Where(m => m.Member.State == MemberState.Up).Sum(m => m.Member.Capacity),
        status.Members.Sum(m => m.Charged),
        Survivable(status),
        [.. status.Members.Select(Report)]);

    /// <summary>A segment.</summary>
    public static SegmentReport Report(SegmentInfo info) => new(
        info.Id.Value,
        info.Key == UInt128.Zero ? "" : new SegmentKey(info.Key).ToString(),
        info.Size,
        info.Flags.HasFlag(SegmentFlags.Pinned),
        info.Flags.HasFlag(SegmentFlags.Sparse),
        info.Copies,
        info.Owner.Value,
        info.Writer.Value,
        info.Readers,
        info.Charged);

    /// <summary>A segment, closely looked at.</summary>
    public static SegmentDetailsReport Report(SegmentDetails details) => new(
        Report(details.Info),
        details.Token,
        details.FirstShard.Value,
        [.. details.Places.Select(p => new SegmentPlaceReport(p.Silo.Value, p.Extents, p.Bytes))]);

    /// <summary>A session.</summary>
    public static SessionReport Report(SessionInfo session) =>
        new(session.Id.Value, session.Tenant, session.ClientName, session.LeaseMs, session.Anonymous, session.Segments);

    private static SiloReport Report(MemberStatus status)
    {
        Member silo = status.Member;
        return new SiloReport(
            silo.Id.Value, silo.Name, silo.State == MemberState.Up ? "up" : "left", silo.Incarnation.ToString(), silo.Endpoint, silo.Http,
            silo.SharedMemory, silo.HostId, silo.Mac, silo.Label, silo.Council, silo.Capacity, status.Charged, status.ToDrop, status.Shards, status.ShardsInUse);
    }

    // Each page has one copy and the council is one silo: only a silo that holds neither can go without loss.
    private static string Survivable(ClusterStatus status)
    {
        List<string> spare = [.. status.Members
            .Where(m => m.Member.State == MemberState.Up && !m.Member.Council && m.ShardsInUse == 0)
            .Select(m => m.Member.Name)];
        return spare.Count == 0
            ? "none: each page has one copy, and every silo holds pages or the council"
            : "only of " + string.Join(", ", spare) + " (nothing is stored there); each page has one copy";
    }
}
