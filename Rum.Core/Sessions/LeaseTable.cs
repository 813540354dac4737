namespace Rum.Core.Sessions;

/// <summary>
/// Who was heard of when: the council leader's own memory, not part of the replicated state. Time is an argument, monotonic nanoseconds. A lease
/// is due when it wasn't renewed for its length; expiry is then proposed with the renewal counter seen, and <see cref="IsDue"/> is asked once more
/// in the moment of the proposal, so a renewal in between saves the session. One thread.
/// </summary>
public sealed class LeaseTable
{
    private struct Lease
    {
        public long LengthNs;
        public long DueNs;
        public ulong Counter;
    }

    private readonly Dictionary<SessionId, Lease> _leases = [];

    /// <summary>Leases held.</summary>
    public int Count => _leases.Count;

    /// <summary>Begins a lease; for a session that has one it is a renewal with a new length.</summary>
    public void Grant(SessionId session, long leaseNs, long nowNs)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(leaseNs, 1);
        _leases.TryGetValue(session, out Lease lease);
        _leases[session] = Renewed(lease with { LengthNs = leaseNs }, nowNs);
    }

    /// <summary>A new leader knows of no renewal: everyone gets a full lease.</summary>
    public void GrantAllFull(long nowNs)
    {
        foreach (SessionId session in _leases.Keys.ToArray()) _leases[session] = Renewed(_leases[session], nowNs);
    }

    /// <summary>Renews a lease and returns its counter; 0 when the session has none.</summary>
    public ulong Renew(SessionId session, long nowNs)
    {
        if (!_leases.TryGetValue(session, out Lease lease)) return 0;
        lease = Renewed(lease, nowNs);
        _leases[session] = lease;
        return lease.Counter;
    }

    /// <summary>The renewal counter of a lease, 0 when the session has none.</summary>
    public ulong CounterOf(SessionId session) => _leases.TryGetValue(session, out Lease lease) ? lease.Counter : 0;

    /// <summary>Ends a lease, when its session has ended.</summary>
    public bool Remove(SessionId session) => _leases.Remove(session);

    /// <summary>Collects the sessions that are due, with the counters to propose their expiry with; the soonest due first.</summary>
    public void Due(long nowNs, List<(SessionId Session, ulong Counter)> due)
    {
        due.Clear();
        foreach ((SessionId session, Lease lease) in _leases)
        {
            if (lease.DueNs <= nowNs) due.Add((session, lease.Counter));
        }
        due.Sort((left, right) =>
        {
            int byTime = _leases[left.Session].DueNs.CompareTo(_leases[right.Session].DueNs);
            return byTime != 0 ? byTime : left.Session.Value.CompareTo(right.Session.Value);
        });
    }

    /// <summary>Whether a session is due and was not renewed since <paramref name="counter"/> was seen.</summary>
    public bool IsDue(SessionId session, ulong counter, long nowNs) =>
        _leases.TryGetValue(session, out Lease lease) && lease.Counter == counter && lease.DueNs <= nowNs;

    /// <summary>When the next lease is due; <see cref="long.MaxValue"/> for none.</summary>
    public long NextDueNs()
    {
        long next = long.MaxValue;
        foreach (Lease lease in _leases.Values) next = Math.Min(next, lease.DueNs);
        return next;
    }

    // A clock that stepped back must not shorten a lease that was granted already.
    private static Lease Renewed(Lease lease, long nowNs)
    {
        long due = nowNs > long.MaxValue - lease.LengthNs ? long.MaxValue : nowNs + lease.LengthNs;
        return lease with { DueNs = Math.Max(lease.DueNs, due), Counter = lease.Counter + 1 };
    }
}
