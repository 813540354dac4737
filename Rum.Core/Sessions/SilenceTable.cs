namespace Rum.Core.Sessions;

/// <summary>
/// Which silos live: like leases the council leader's own memory, not part of the replicated state. Nothing is decided by it alone: it is what <c>rum status</c> shows of a silo
/// that ended without a word, and what lets the leader propose that others go on without it. A silo whose page thread speaks while the rest of its process stands still counts as
/// silent too, and so does one whose control plane speaks while its page thread doesn't. Time is an argument, nanoseconds of an <see cref="ObservedClock"/>. One thread.
/// </summary>
public sealed class SilenceTable(SilenceOptions? options = null)
{
    private readonly SilenceOptions _options = options ?? new SilenceOptions();

    private struct Record
    {
        public Incarnation Life;
        public long SinceNs;
        public long HeardNs;
        public long ProgressNs;
        public long ProbedNs;
        public ulong Progress;
        public bool Signed;
        public bool Noticed;
        public long SilentSinceNs;
        public long SpeaksSinceNs;
        public int Lapses;
    }

    private readonly Dictionary<SiloId, Record> _silos = [];

    /// <summary>A life of a silo begins, or this observer does: it is expected to speak from now on.</summary>
    public void Expect(SiloId silo, Incarnation life, long nowNs)
    {
        _silos.TryGetValue(silo, out Record record);
        _silos[silo] = new Record { Life = life, SinceNs = nowNs, HeardNs = nowNs, ProgressNs = nowNs, SilentSinceNs = record.SilentSinceNs, Lapses = record.Lapses };
    }

    /// <summary>It counts as silent until its page thread speaks: others go on without it already.</summary>
    public void Doubt(SiloId silo, Incarnation life, long nowNs)
    {
        if (IsSilent(silo) && _silos[silo].Life == life) return;
        Expect(silo, life, nowNs);
        long before = nowNs - Math.Max(_options.JoiningNs, _options.SuspectNs);
        _silos[silo] = Lapsed(_silos[silo] with { SinceNs = before, HeardNs = before }, nowNs);
    }

    /// <summary>Its control plane spoke. True: it had been noticed as silent before, and isn't any more.</summary>
    public bool HearControl(SiloId silo, Incarnation life, long nowNs)
    {
        if (!_silos.TryGetValue(silo, out Record record) || record.Life != life)
        {
            // Nobody expected it (any more): it is as new.
            Expect(silo, life, nowNs);
            return false;
        }
        record.ProgressNs = nowNs;
        // Until its page thread has its view, only this speaks for it; but not for ever.
        if (!record.Signed && nowNs - record.SinceNs < _options.JoiningNs) record.HeardNs = nowNs;
        return Keep(silo, record, nowNs);
    }

    /// <summary>A sign of its page thread. True: it had been noticed as silent before, and isn't any more.</summary>
    public bool HearSign(in SiloSign sign, long nowNs)
    {
        if (!_silos.TryGetValue(sign.Silo, out Record record) || record.Life != sign.Incarnation) return false;
        if (!record.Signed || sign.Progress != record.Progress) (record.Progress, record.ProgressNs) = (sign.Progress, nowNs);
        if (nowNs - record.HeardNs >= _options.SuspectNs) record.SpeaksSinceNs = nowNs;
        record.Signed = true;
        record.HeardNs = Math.Max(record.HeardNs, nowNs);
        // What was sent before the doubt arrived may be heard after it, and clears it all the same: the next silence is missed in its own time.
        if (nowNs >= record.ProbedNs) record.ProbedNs = 0;
        return Keep(sign.Silo, record, nowNs);
    }

    /// <summary>
    /// Somebody else doubts a life of a silo: unless its page thread speaks within <see cref="SilenceOptions.ProbeNs"/> it counts as silent, earlier than without.
    /// A sign clears the doubt. True: that life is expected to speak, and is listened to more closely from now on.
    /// </summary>
    public bool Probe(SiloId silo, Incarnation life, long nowNs)
    {
        if (!_silos.TryGetValue(silo, out Record record) || record.Life != life || !record.Signed || record.Noticed || record.ProbedNs != 0) return false;
        _silos[silo] = record with { ProbedNs = nowNs };
        return true;
    }

    /// <summary>It left: it may be silent.</summary>
    public void Forget(SiloId silo) => _silos.Remove(silo);

    /// <summary>Whether a silo is expected to speak and not noticed as silent.</summary>
    public bool IsHeard(SiloId silo) => _silos.TryGetValue(silo, out Record record) && !record.Noticed;

    /// <summary>Whether a silo was noticed as silent.</summary>
    public bool IsSilent(SiloId silo) => _silos.TryGetValue(silo, out Record record) && record.Noticed;

    /// <summary>Nanoseconds since a silo that was noticed as silent lived as far as was known then; 0 for any other.</summary>
    public long SilentNs(SiloId silo, long nowNs) => _silos.TryGetValue(silo, out Record record) && record.Noticed ? Math.Max(1, nowNs - record.SilentSinceNs) : 0;

    /// <summary>When the next silo will have become silent; <see cref="long.MaxValue"/> when none can.</summary>
    public long NextDueNs()
    {
        long next = long.MaxValue;
        foreach (Record record in _silos.Values)
        {
            if (!record.Noticed) next = Math.Min(next, DueNs(record));
        }
        return next;
    }

    /// <summary>Collects the silos that have become silent since the last call.</summary>
    public void Notice(long nowNs, List<SiloId> silent)
    {
        silent.Clear();
        foreach ((SiloId silo, Record record) in _silos)
        {
            if (!record.Noticed && nowNs >= DueNs(record)) silent.Add(silo);
        }
        foreach (SiloId silo in silent) _silos[silo] = Lapsed(_silos[silo], nowNs);
    }

    private long DueNs(in Record record)
    {
        long silent = record.HeardNs + (record.Signed ? _options.SuspectNs : _options.JoiningNs);
        if (record.ProbedNs != 0) silent = Math.Min(silent, record.ProbedNs + _options.ProbeNs);
        return Math.Min(silent, record.ProgressNs + _options.HungNs);
    }

    private Record Lapsed(in Record record, long nowNs)
    {
        bool calm = nowNs - record.SilentSinceNs >= _options.CalmNs;
        return record with
        {
            Noticed = true,
            ProbedNs = 0,
            SilentSinceNs = Math.Min(record.HeardNs, record.ProgressNs),
            SpeaksSinceNs = nowNs,
            Lapses = calm ? 1 : record.Lapses + 1,
        };
    }

    private bool Keep(SiloId silo, Record record, long nowNs)
    {
        bool again = record.Noticed && nowNs < DueNs(record) && nowNs - record.SpeaksSinceNs >= _options.ProbationNs(record.Lapses);
        _silos[silo] = again ? record with { Noticed = false } : record;
        return again;
    }
}
