namespace Rum.Core.Sessions;

/// <summary>
/// When each silo was last heard of: like leases the council leader's own memory, not part of the replicated state. Nothing is decided by it alone: it is what
/// <c>rum status</c> shows of a silo that ended without a word, and what lets the leader propose that others go on without that silo. Time is an argument, monotonic nanoseconds. One thread.
/// </summary>
public sealed class SilenceTable
{
    /// <summary>From here on a silo counts as silent: several of its heartbeats are missing then.</summary>
    public const long NoticeNs = 3_000_000_000;

    private struct Sign
    {
        public long HeardNs;
        public bool Noticed;
    }

    private readonly Dictionary<SiloId, Sign> _signs = [];

    /// <summary>A silo spoke. True: it had been noticed as silent before.</summary>
    public bool Hear(SiloId silo, long nowNs)
    {
        bool wasSilent = _signs.TryGetValue(silo, out Sign sign) && sign.Noticed;
        _signs[silo] = new Sign { HeardNs = nowNs };
        return wasSilent;
    }

    /// <summary>A silo left: it may be silent.</summary>
    public void Forget(SiloId silo) => _signs.Remove(silo);

    /// <summary>Whether a silo was heard, and is not noticed as silent.</summary>
    public bool IsHeard(SiloId silo) => _signs.TryGetValue(silo, out Sign sign) && !sign.Noticed;

    /// <summary>Whether a silo was noticed as silent.</summary>
    public bool IsSilent(SiloId silo) => _signs.TryGetValue(silo, out Sign sign) && sign.Noticed;

    /// <summary>Nanoseconds since a silo was heard; 0 for one that is not expected to speak.</summary>
    public long SilentNs(SiloId silo, long nowNs) => _signs.TryGetValue(silo, out Sign sign) ? Math.Max(0, nowNs - sign.HeardNs) : 0;

    /// <summary>When the next silo will have become silent; <see cref="long.MaxValue"/> when none can.</summary>
    public long NextDueNs()
    {
        long next = long.MaxValue;
        foreach (Sign sign in _signs.Values)
        {
            if (!sign.Noticed) next = Math.Min(next, sign.HeardNs + NoticeNs);
        }
        return next;
    }

    /// <summary>Collects the silos that have become silent since the last call.</summary>
    public void Notice(long nowNs, List<SiloId> silent)
    {
        silent.Clear();
        foreach ((SiloId silo, Sign sign) in _signs)
        {
            if (!sign.Noticed && nowNs - sign.HeardNs >= NoticeNs) silent.Add(silo);
        }
        foreach (SiloId silo in silent) _signs[silo] = _signs[silo] with { Noticed = true };
    }
}
