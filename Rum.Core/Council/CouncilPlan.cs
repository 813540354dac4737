namespace Rum.Core.Council;

/// <summary>
/// Which council the leader should propose: one silo while there are fewer than three with a disk for the log, else three (or five, where that is allowed and they are there). A member
/// that is away for long gives way to a candidate that follows closely; a member that answers keeps its seat.
/// </summary>
public static class CouncilPlan
{
    /// <summary>The council to propose, or null to leave it as it is.</summary>
    /// <param name="council">In force.</param>
    /// <param name="max">The most seats.</param>
    /// <param name="answering">Seats that answer and follow closely, council and candidates; the leader's own among them.</param>
    /// <param name="away">Seats of the council that have been away for long.</param>
    public static ulong[]? Next(IReadOnlyList<ulong> council, int max, IReadOnlyCollection<ulong> answering, IReadOnlyCollection<ulong> away)
    {
        ulong[] staying = [.. council.Where(seat => !away.Contains(seat))];
        ulong[] candidates = [.. answering.Where(seat => !council.Contains(seat)).Order()];
        int reach = staying.Length + candidates.Length;
        int size = Math.Min(max, reach >= 5 ? 5 : reach >= 3 ? 3 : 1);
        // Fewer seats than now only where somebody asked for it: what is away may come back, and one seat survives no loss.
        if (size < council.Count && max >= council.Count) return null;
        ulong[] next = [.. staying.OrderByDescending(answering.Contains).Concat(candidates).Take(size).Order()];
        // With a quorum that answers, or the change would end what it shall save.
        if (next.Length != size || next.Count(answering.Contains) < (size / 2) + 1) return null;
        if (size == council.Count && next.All(council.Contains)) return null;
        return next;
    }
}
