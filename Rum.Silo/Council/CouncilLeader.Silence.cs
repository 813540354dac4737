using Rum.Core;
using Rum.Core.Council;
using Rum.Core.Sessions;

namespace Rum.Silo.Council;

/// <content>
/// Which silos live. Signs arrive on the page server's thread, which only writes them down: that thread's own signs are this observer's clock, so what it could not have heard
/// counts against nobody.
/// </content>
public sealed partial class CouncilLeader
{
    private const long LookAgainNs = 20_000_000;

    // Both guarded by the door.
    private readonly ObservedClock _observed = new();
    private readonly Dictionary<SiloId, (SiloSign Sign, long HeardNs)> _signs = [];
    private readonly List<SiloId> _silent = [];
    private SilenceTable _silence;
    private bool _anySilent;

    /// <summary>A sign of life of a silo, or of this one's own page thread. Any thread; short, allocates nothing that stays.</summary>
    public void TakeSign(in SiloSign sign)
    {
        bool ring;
        lock (_door)
        {
            if (sign.Silo.Value == Volatile.Read(ref _ownSilo)) _observed.Look(_nowNs());
            else if (_leading && (_signs.Count < QueueMax || _signs.ContainsKey(sign.Silo))) _signs[sign.Silo] = (sign, _observed.NowNs);
            // Signs wake the council's thread only where somebody is missed.
            ring = _anySilent && MustRing();
        }
        if (ring) _bell.Set();
    }

    private long ObservedNs
    {
        get
        {
            lock (_door) return _observed.NowNs;
        }
    }

    private bool HasNewsOfTheSilent => _anySilent && _signs.Count > 0;

    private long SilenceDueNs()
    {
        long due = _silence.NextDueNs();
        return due == long.MaxValue ? due : _nowNs() + Math.Max(LookAgainNs, due - ObservedNs);
    }

    /// <summary>Nobody is silent yet for one who begins to listen.</summary>
    private void ExpectAll()
    {
        _silence = new SilenceTable(_silenceOptions);
        lock (_door) _signs.Clear();
        foreach (Member member in _machine.View.Members)
        {
            if (member.State is MemberState.Up or MemberState.Draining) _silence.Expect(member.Id, member.Incarnation, ObservedNs);
            // Who was taken for dead must speak first.
            else if (member.State == MemberState.Silent) _silence.Doubt(member.Id, member.Incarnation, ObservedNs);
        }
    }

    private void NoticeSilence()
    {
        TakeSigns();
        _silence.Forget(OwnSilo);
        _silence.Notice(ObservedNs, _silent);
        foreach (SiloId silo in _silent)
        {
            LogSilent(NameOf(silo));
            Journal.Silent(NameOf(silo));
            _doubtAgain = true;
        }
        bool anySilent = _machine.View.Members.Any(member => _silence.IsSilent(member.Id));
        lock (_door) _anySilent = anySilent;
    }

    private void TakeSigns()
    {
        lock (_door)
        {
            foreach ((SiloSign sign, long heard) in _signs.Values)
            {
                if (_silence.HearSign(sign, heard)) HeardAgain(sign.Silo);
            }
            _signs.Clear();
        }
    }

    private void Hear(SiloHeartbeat beat)
    {
        bool known = _silence.IsHeard(beat.Silo);
        if (_silence.HearControl(beat.Silo, beat.Incarnation, ObservedNs)) HeardAgain(beat.Silo);
        else _doubtAgain |= !known && _silence.IsHeard(beat.Silo);
    }

    private void Doubt(DoubtSilo doubt)
    {
        if (!_silence.Probe(doubt.Silo, doubt.Incarnation, ObservedNs)) return;
        _counters.Doubts++;
        LogDoubted(NameOf(doubt.Silo));
    }

    private void HeardAgain(SiloId silo)
    {
        _doubtAgain = true;
        LogHeardAgain(NameOf(silo));
        Journal.HeardAgain(NameOf(silo));
    }
}
